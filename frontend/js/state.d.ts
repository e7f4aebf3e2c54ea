/** What the page knows. Types only: no browser asks for this file. */

import type { Heartbeat, Metrics, ServerEvent, Update } from './event.js';
import type { Status as StreamStatus } from './stream.js';

export type Status = StreamStatus & { role?: 'alone' | 'leader' | 'follower' };

/** As the stream says, and what the server said when it refused. */
export type Connection = Status & { detail: string | null };

export type UpdateEntry = { kind: 'update', seq: number, update: Update, revised: boolean };
/** A place where updates may be missing. */
export type GapEntry = { kind: 'gap', seq: number };
/** Below it is what was there before the page was opened: numbers below zero. */
export type EarlierEntry = { kind: 'earlier', seq: number };
export type FeedEntry = UpdateEntry | GapEntry | EarlierEntry;

export type Verdict = { label: string, score: number | null };
/** By item and ticker; a key in both counts in `young`. */
export type Known = { young: ReadonlyMap<string, Verdict>, old: ReadonlyMap<string, Verdict> };

/** One sentence for the reader, and what they may do about it. */
export type Notice = { text: string, action: string | null };

export type State = {
  connection: Connection,
  /** How far the server's clock is ahead of this machine's, where that matters. */
  clockOffsetMs: number,
  instance: Heartbeat | null,
  metrics: Metrics | null,
  /** The newest update of each ticker, by the item's own time. */
  lastByTicker: ReadonlyMap<string, Update>,
  known: Known,
  /** Newest first. */
  feed: readonly FeedEntry[],
  /** Updates since the page was opened. */
  received: number,
  /** What was shown when the reader paused the feed. */
  paused: { feed: readonly FeedEntry[], received: number } | null,
  /** Set after a `reset` until the reader dismisses it. */
  gap: { reason: string | null } | null,
  notice: Notice | null,
  /** What the reader typed to see some tickers only. */
  filter: string,
};

/** What all tabs with the same stream have in common; the rest is each tab's own. */
export type Shared = Pick<State, 'clockOffsetMs' | 'instance' | 'metrics' | 'lastByTicker' | 'known' | 'feed' | 'received' | 'gap'>;

export type Action =
  | (ServerEvent & { at: number })
  | { type: 'status', status: Status }
  | { type: 'sign_in_needed' }
  | { type: 'baseline', updates: readonly Update[], heard: boolean }
  | { type: 'latest', updates: readonly Update[] }
  | { type: 'answered', timestamp: string, at: number }
  | { type: 'switched' }
  | { type: 'restored', shared: Shared }
  | { type: 'filtered', text: string }
  | { type: 'noticed', text: string, action?: string | null }
  | { type: 'notice_dismissed' }
  | { type: 'pause_toggled' }
  | { type: 'gap_dismissed' };
