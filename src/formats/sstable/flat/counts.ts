/** What header, index and footer of a textbook table tell, against what was found. */
import { compareBytes, type EntryBlock } from '../entry-block.ts';
import type { TableDamage } from '../model.ts';
import { ENTRY_COUNT_AT, HEADER_BYTES, MAGIC, VERSION, VERSION_AT } from '../v1/layout.ts';
import type { FlatSpec } from './spec.ts';
import type { FlatTail } from './tail.ts';

export class FlatCounts {
  /** Entries that were yielded. */
  entries = 0;
  /** As the header says; undefined where it does not, or is not to be trusted. */
  #told: number | undefined;
  #headerAt = 0;
  /** Entries that are lost; NaN: unknown. */
  #lost = 0;
  /** Entries of a stretch; undefined until one was seen that is not the last. */
  #every: number | undefined;
  /** The first entry of the stretch under way, and where it lies. */
  #stretchKey: Uint8Array | undefined;
  #stretchAt = -1;

  constructor(
    readonly spec: FlatSpec,
    readonly file: string,
    readonly emit: (damage: TableDamage) => void,
  ) {}

  /** Looks at the header of v1. Returns the code of what is wrong. */
  header(view: DataView, bytes: number, tail: FlatTail): string | undefined {
    if (bytes < HEADER_BYTES) {
      this.#tell('bad-magic', 'error', 0, bytes, `${bytes} bytes, a header has ${HEADER_BYTES}`);
      return 'bad-magic';
    }
    const magic = view.getUint32(0);
    const version = view.getUint16(VERSION_AT);
    this.#told = view.getUint32(ENTRY_COUNT_AT);
    this.#headerAt = ENTRY_COUNT_AT;
    if (magic !== MAGIC || version !== VERSION) {
      const found = `magic ${magic.toString(16).padStart(8, '0')}, version ${version}`;
      this.#tell('bad-magic', 'error', 0, 6, `${found}; expected 53535442 ("SSTB"), version 1`);
      return 'bad-magic';
    }
    const empty = tail.entriesEnd === HEADER_BYTES && tail.indexSound;
    if (this.#told === 0 && !empty) {
      const message = 'entry_count is 0 and entries follow: the writer never came back to set it';
      this.#tell('unfinished', 'error', ENTRY_COUNT_AT, 4, message);
      this.#told = undefined;
      return 'unfinished';
    }
    return undefined;
  }

  /** All entries that the header tells of were seen, so what follows is none. */
  get complete(): boolean {
    return this.#told !== undefined && this.#lost === 0 && this.entries >= this.#told;
  }

  /** How many entries a stretch should have; `last`: it ends where the entries do. */
  expected(last: boolean): number | undefined {
    if (!last) return this.#every;
    if (this.#told === undefined || Number.isNaN(this.#lost)) return undefined;
    const rest = this.#told - this.entries - this.#lost;
    return rest > 0 && rest <= (this.#every ?? rest) ? rest : undefined;
  }

  block(block: EntryBlock): void {
    this.entries += block.count;
    this.#stretchKey ??= block.key(0).slice();
    this.#stretchAt = this.#stretchAt < 0 ? block.offset : this.#stretchAt;
  }

  lost(entries: number | undefined): void {
    this.#lost += entries ?? Number.NaN;
  }

  /** A stretch of the index is done: does its entry fit what was found there? */
  stretch(key: Uint8Array, indexAt: number, start: number, entries: number, last: boolean): void {
    const found = this.#stretchAt === start ? this.#stretchKey : undefined;
    this.#stretchKey = undefined;
    this.#stretchAt = -1;
    if (found && compareBytes(found, 0, found.length, key, 0, key.length) !== 0) {
      const message = `the index has another key for ${start} than the entry there`;
      const length = this.spec.keyLengthBytes + key.length + 8;
      this.#tell('index-mismatch', 'error', indexAt, length, message, 'write the index anew');
    }
    if (last || this.#lost !== 0) {
      if (!last || this.#every === undefined || entries <= this.#every) return;
    }
    if (this.#every === undefined) this.#every = entries;
    if (entries === this.#every) return;
    const message = `${entries} entries between two index entries, ${this.#every} before`;
    this.#tell('index-mismatch', 'error', start, 0, message, 'write the index anew');
  }

  /** An index entry points into the middle of an entry, which leads on to where the next points. */
  wrongTarget(at: number, keyLength: number, target: number): void {
    const message = `the index points to ${target}, where no entry begins: entries lead past it`;
    const length = this.spec.keyLengthBytes + keyLength + 8;
    this.#tell('index-mismatch', 'error', at, length, message, 'write the index anew');
  }

  /** All was read. */
  end(): void {
    const told = this.#told;
    if (told === undefined || Number.isNaN(this.#lost)) return;
    const found = this.entries + this.#lost;
    if (told === found) return;
    const lost = this.#lost > 0 ? ` and ${this.#lost} are lost` : '';
    const message = `entry_count is ${told}, there are ${this.entries} entries${lost}`;
    this.#tell('count-mismatch', 'error', this.#headerAt, 4, message, 'write the right count');
  }

  #tell(
    code: string,
    severity: 'error' | 'warning',
    offset: number,
    length: number,
    message: string,
    repair = 'write the header anew',
  ): void {
    const { file } = this;
    this.emit({ code, severity, file, offset, length, message, repair, lost: false });
  }
}
