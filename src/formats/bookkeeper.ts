/**
 * The ledger of a repair, out of a scan: every record and every damage of a file in order, each
 * with what becomes of it. Families say which damage spoils a file beyond a mend in its place.
 */
import type { Damage } from './damage.ts';
import type { FileEntry, RepairOptions } from './format.ts';
import { Ledger } from './ledger.ts';

export class Bookkeeper {
  readonly ledger = new Ledger();
  /** Damage that costs no record, until it is known whether a record holds it. */
  #notes: Damage[] = [];
  /** Files that records have to be taken out of, or that hold what has no mend. */
  readonly spoilt = new Set<string>();

  constructor(readonly options: RepairOptions) {}

  begin(file: FileEntry): void {
    this.#settle(Number.POSITIVE_INFINITY);
    this.ledger.begin(file.name, file.size ?? 0);
  }

  end(): void {
    this.#settle(Number.POSITIVE_INFINITY);
    this.ledger.close();
  }

  /** An intact or salvaged record; `seq` in decimal digits, where it has a number. */
  kept(offset: number, length: number, salvaged: boolean, seq: string | undefined): void {
    this.#settle(offset);
    const notes = this.#notes;
    this.#notes = [];
    const fate = salvaged || notes.length > 0 ? ('salvaged' as const) : ('kept' as const);
    const entry = { offset, length, fate, records: 1, firstSeq: seq, lastSeq: seq };
    if (notes.length === 0) {
      this.ledger.add(entry);
      return;
    }
    const [first] = notes;
    const mends = notes.flatMap(({ mend }) => mend ?? []);
    const cause = { code: first!.code, reason: reasonOf(first!), mends };
    this.ledger.add({ ...entry, ...cause });
  }

  /** `spoils`: what is dropped leaves a hole in the file. */
  damaged(damage: Damage, spoils: boolean): void {
    const { offset, length, code, lost, mend, records, file } = damage;
    const reason = reasonOf(damage);
    if (!lost) {
      this.#costsNothing(damage);
      return;
    }
    if (length === 0) return;
    this.#settle(offset);
    if (this.options.mend && mend) {
      this.ledger.add({
        offset,
        length,
        code,
        reason,
        fate: 'salvaged',
        records: 1,
        mends: [mend],
      });
      return;
    }
    if (spoils) this.spoilt.add(file);
    const counted = records === 1;
    const most = Number.isFinite(records) ? records : undefined;
    this.ledger.add({
      offset,
      length,
      code,
      reason,
      fate: 'dropped',
      records: counted ? 1 : 0,
      recordsAtMost: counted ? undefined : most,
    });
  }

  #costsNothing(damage: Damage): void {
    const { offset, length, code, mend, file } = damage;
    const last = this.ledger.spans.at(-1);
    if (damage.distrust) this.ledger.condemn(offset, length, code, damage.message);
    else if (mend && last?.fate === 'salvaged' && last.offset === offset) {
      // Told behind the record that it is about.
      Object.assign(last, { code, reason: reasonOf(damage), mends: [mend] });
    } else {
      if (!mend) this.spoilt.add(file);
      this.#notes.push(damage);
    }
  }

  /** Notes on what lies before `offset` stand alone: a header, padding. */
  #settle(offset: number): void {
    const before = this.#notes.filter((note) => note.offset < offset);
    this.#notes = this.#notes.filter((note) => note.offset >= offset);
    for (const note of before) {
      const { length, code, mend } = note;
      // Within a span that is accounted for already there is nothing to add.
      if (note.offset < this.ledger.reached || length === 0) continue;
      this.ledger.add({
        offset: note.offset,
        length,
        fate: 'salvaged',
        records: 0,
        code,
        reason: reasonOf(note),
        mends: mend ? [mend] : [],
      });
    }
  }
}

function reasonOf(damage: Damage): string {
  return damage.diagnosis ?? damage.message;
}
