/**
 * What a loss means: for each lost record whose key is still known, what the key has now; for the
 * rest, what can be said.
 */
import type { RepairOptions } from '../format.ts';
import { keyText } from '../key-text.ts';
import { ToldList } from '../told-list.ts';
import type { DataFile } from './files.ts';
import type { LiveIndex } from './live.ts';
import { isNewer, keyOf, type LostRecord, type LostRecords, newestOf } from './lost.ts';
import type { BitcaskDamage } from './model.ts';

/** How many losses are told one by one. */
const TOLD_MAX = 200;

export class Consequences {
  readonly #told = new ToldList(TOLD_MAX);
  /** By data file: stretches of which nothing by itself tells what they held. */
  readonly #stretches: { file: string; what: string }[] = [];
  #mendable = 0;

  constructor(readonly options: RepairOptions) {}

  /** What can be said of damage by itself. */
  damage(damage: BitcaskDamage): void {
    const { mend, file, offset, length, code, lost, distrust, key, records, subject } = damage;
    if ((!lost && !distrust) || length === 0) return;
    if (mend && this.options.mend) return;
    if (mend) this.#mendable++;
    const place = `${file} @ ${offset} +${length}`;
    if (code === 'torn-tail') {
      this.#told.add(
        `${place}: the last write is not whole; if it was never synced, it was never acknowledged`,
      );
    } else if (!key || records !== 1) {
      const what = subject
        ? `${place}: ${subject} (as far as it can be read) is lost: an older value shows, or what it deleted comes back`
        : `${place}: what these bytes wrote or deleted is lost: older values show, deleted keys come back`;
      if (this.#stretches.length < TOLD_MAX) this.#stretches.push({ file, what });
    }
  }

  /** `known`: data files of which a hint tells all that they held. */
  stretches(known: ReadonlySet<string>): void {
    for (const { file, what } of this.#stretches) if (!known.has(file)) this.#told.add(what);
  }

  /** `live`: what counts of the records that are left. */
  keys(lost: LostRecords, live: LiveIndex, data: readonly DataFile[]): void {
    let superseded = 0;
    const newest = newestOf(lost.list);
    for (const one of lost.list) {
      const last = newest.get(keyOf(one)) === one;
      const meaning = last ? meaningOf(one, live, data) : undefined;
      if (meaning === undefined) superseded++;
      else {
        const unsure = one.proven ? '' : ' (as far as it can be read)';
        this.#told.add(`key ${keyText(one.key)}${unsure}: ${meaning}`);
      }
    }
    if (superseded > 0) {
      const them = superseded === 1 ? '1 lost record was' : `${superseded} lost records were`;
      this.#told.add(`${them} of no more use: what their keys have is newer, or the same without`);
    }
    if (lost.more > 0) this.#told.add(`… and ${lost.more} more keys of lost records`);
  }

  note(what: string): void {
    this.#told.add(what);
  }

  told(): string[] {
    const told = this.#told.told('losses, see the ledger');
    if (this.#mendable > 0) {
      told.push(
        `${this.#mendable} of the lost records can be made whole: their damage has one explanation, see --mend`,
      );
    }
    return told;
  }
}

/** What a key has after the loss of a record of it; undefined: the same as before. */
function meaningOf(
  lost: LostRecord,
  live: LiveIndex,
  data: readonly DataFile[],
): string | undefined {
  const { keys } = live;
  const entry = keys.find(lost.key, 0, lost.key.length);
  const { deleted } = lost;
  if (entry < 0) {
    if (deleted) return undefined;
    return deleted === undefined
      ? 'is gone, if it was not deleted by what is lost: no other record of it is left'
      : 'is gone: no other record of it is left';
  }
  if (isNewer(entry, lost, live)) return undefined;
  const place = `${data[keys.file(entry)]!.name} @ ${keys.position(entry)}`;
  if (live.isDeleted(entry)) {
    return deleted
      ? undefined
      : `is gone: it was deleted at ${place}, and set anew by what is lost`;
  }
  if (deleted) return `comes back from the dead with the value of ${place}`;
  const other = deleted === undefined ? ', or comes back from the dead if that was a deletion' : '';
  return `falls back to the value of ${place}${other}`;
}
