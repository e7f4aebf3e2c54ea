/** What config.js says, read. Types only: no browser asks for this file. */

export type AuthMode = 'off' | 'trusted-header' | 'session' | 'jwt';

export type Config = {
  /** Base URL of the stream function; empty for the page's own origin. */
  readonly streamBase: string,
  /** Base URL of the dashboard function; empty for the page's own origin. */
  readonly restBase: string,
  /** Relative to the page's origin when the base URL is empty. */
  readonly streamUrl: string,
  readonly environment: string,
  /** As rows have them. */
  readonly labels: readonly string[],
  /** What `metrics` calls their numbers, in the same order. */
  readonly labelKeys: readonly string[],
  /** Name of the event that carries one update. */
  readonly updateEvent: string,
  readonly heartbeatIntervalMs: number,
  /** How long a row counts. */
  readonly windowMs: number,
  /** For how long sums of old hours are kept; 0 where they are not. */
  readonly historyMs: number,
  /** Length of the parts in which viewers share the stream; 0 where each has one. */
  readonly segmentMs: number,
  /** In place of the page's own. */
  readonly title: string | null,
  /** A picture as a data: URL, in place of the page's own. */
  readonly logo: string | null,
  /** Colours in place of the page's own, by what app.css calls them, each for the light theme and for the dark one. */
  readonly accent: Readonly<Record<string, readonly [string, string]>> | null,
  /** How often REST is asked while the stream is not to be had. */
  readonly pollIntervalMs: number,
  /** How a caller says who they are; `off`: nobody does, and there are no configurations. */
  readonly authMode: AuthMode,
  /** Whether stream and numbers ask for a user too. */
  readonly isPrivate: boolean,
  /** Whether rows have tags: without them nothing can be narrowed to tickers. */
  readonly hasTags: boolean,
  /** Names of what updates say beside their own fields, in the order in which to show them. */
  readonly show: readonly string[],
  /** Whether a signature takes the place of `Authorization` on the way, and covers the body. */
  readonly signedRequests: boolean,
  readonly goodbyeUrl: string,
  /** How the page says goodbye, if it does. */
  readonly goodbye: import('./goodbye.js').Way | null,
};
