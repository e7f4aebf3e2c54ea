/**
 * What a page notes of itself from its first moment on. `record` runs inside the page, before anything of the page.
 */

/**
 * @typedef {object} Seen
 * @property {{at: number, phase: string}[]} phases each change of the badge
 * @property {{at: number, role: string}[]} roles
 * @property {{at: number, key: string}[]} updates each update that the page took in
 * @property {number} taken how many that were
 * @property {string[]} breaches of the content security policy
 * @property {number} shift cumulative layout shift
 * @property {string[]} shifts what moved first
 * @property {number | null} painted first contentful paint, ms
 */

/** @param {{keepUpdates: boolean, measures: boolean}} options */
export function record({ keepUpdates, measures }) {
  if (window !== window.top) return;
  const seen = { began: Date.now(), phases: [], roles: [], updates: [], taken: 0, breaches: [], shift: 0, shifts: [], painted: null };
  Object.defineProperty(window, '__seen', { value: seen });
  addEventListener('live-update', ({ detail }) => {
    seen.taken += 1;
    if (keepUpdates) seen.updates.push({ at: Date.now(), key: `${detail.itemId} ${detail.ticker}` });
  });
  addEventListener('securitypolicyviolation', (event) => {
    seen.breaches.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
  });
  const look = () => {
    const badge = document.getElementById('badge');
    if (!badge) return;
    const { phase, role } = badge.dataset;
    if (phase && seen.phases.at(-1)?.phase !== phase) seen.phases.push({ at: Date.now(), phase });
    if (role && seen.roles.at(-1)?.role !== role) seen.roles.push({ at: Date.now(), role });
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-phase', 'data-role'] });
  for (const type of measures ? ['layout-shift', 'paint'] : []) {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (type === 'layout-shift' && !entry.hadRecentInput) {
          seen.shift += entry.value;
          const moved = entry.sources.map(({ node }) => `${node?.nodeName}#${node?.id ?? ''}.${node?.className ?? ''}`);
          if (seen.shifts.length < 20) seen.shifts.push(`${entry.value.toFixed(4)} by ${moved.join(', ')}`);
        }
        if (entry.name === 'first-contentful-paint') seen.painted = entry.startTime;
      }
    }).observe({ type, buffered: true });
  }
}
