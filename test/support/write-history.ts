/**
 * The history of what a workload wrote to a store of keys and values, and which contents the store
 * may have after a crash: those behind a prefix of the writes with every durable one in it.
 */

/** A key with its value, or undefined for a deletion. */
export type Change = [string, string | undefined];

/** One write: its changes, and what is told of it when it is acknowledged. */
export type WriteEvent<Told = { durable: boolean }> =
  | { kind: 'issued'; changes: Change[] }
  | ({ kind: 'acknowledged'; durable: boolean } & Told);

export interface EventLog<Event> {
  append(event: Event): void;
}

type State = Map<string, string>;

export function applyChange(state: State, [key, value]: Change): void {
  if (value === undefined) state.delete(key);
  else state.set(key, value);
}

const SHORT = 20;
/** Long values differ in how they begin. */
const short = (value: string): string =>
  value.length > SHORT ? `${value.slice(0, 4)}…${value.length}` : value;

export function textOf(state: ReadonlyMap<string, string>): string {
  return [...state]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${short(value)}`)
    .join(' ');
}

/** As textOf() has it, in the order in which the store gives them. */
export function contentOf(store: { scan(): Iterable<{ key: Buffer; value: Buffer }> }): string {
  const pairs: string[] = [];
  for (const { key, value } of store.scan()) pairs.push(`${key}=${short(`${value}`)}`);
  return pairs.join(' ');
}

/** How many of the writes have to be there. */
export function durableOf(events: readonly WriteEvent<object>[]): number {
  const acknowledged = events.filter((event) => event.kind === 'acknowledged');
  return acknowledged.findLastIndex(({ durable }) => durable) + 1;
}

/** The contents that a store may have: after each prefix of at least so many writes. */
export function allowed(
  events: readonly WriteEvent<object>[],
  least = durableOf(events),
  apply = applyChange,
): string[] {
  const state: State = new Map();
  const contents = least === 0 ? [''] : [];
  let count = 0;
  for (const event of events) {
    if (event.kind !== 'issued') continue;
    for (const change of event.changes) apply(state, change);
    if (++count >= least) contents.push(textOf(state));
  }
  return contents;
}
