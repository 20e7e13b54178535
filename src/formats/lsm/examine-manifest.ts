/**
 * The manifest of a store of ours, read as far as it can be: of a damaged one, the entries whose
 * checksums hold, and what is wrong with the others and with what all of them say together.
 */
import { explainFlips } from '../../shared/bit-flip.ts';
import { crc32c } from '../../shared/crc32.ts';
import { hex32 } from '../../shared/hex.ts';
import type { Finding } from '../format.ts';
import {
  CRC_AT,
  decodeEntry,
  ENTRY_BYTES,
  HEADER_BYTES,
  LEVELS,
  MAGIC,
  MANIFEST_NAME,
  type ManifestTable,
  VERSION,
} from './manifest.ts';

export interface PlacedTable {
  entry: ManifestTable;
  offset: number;
  length: number;
}

export interface ManifestHeader {
  tables: number;
  storeId: bigint;
  generation: bigint;
  flushedSeq: number;
  nextFile: number;
}

export interface ExaminedManifest {
  /** Undefined where its checksum does not hold: nothing of it can be believed. */
  header: ManifestHeader | undefined;
  tables: PlacedTable[];
  findings: Finding[];
  /** Every byte of it was read and checks. */
  whole: boolean;
}

export function examineManifest(bytes: Uint8Array): ExaminedManifest {
  return new Examiner(bytes).run();
}

class Examiner {
  readonly #view: DataView;
  readonly #findings: Finding[] = [];
  readonly #tables: PlacedTable[] = [];
  #whole = true;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): ExaminedManifest {
    const { bytes } = this;
    if (bytes.length < HEADER_BYTES) {
      this.#damage(0, bytes.length, `${bytes.length} bytes, a header has ${HEADER_BYTES}`);
      return this.#told(undefined);
    }
    const stored = this.#view.getUint32(CRC_AT, true);
    const computed = crc32c.of(bytes, 0, CRC_AT);
    const header = stored === computed ? this.#header() : undefined;
    if (stored !== computed) this.#badHeader(stored, computed);
    else if (!header) return this.#told(undefined);
    // A flipped bit is in what the checksum covers, or in the checksum: the entries know which.
    const crc = stored !== computed && this.#entry(HEADER_BYTES, computed, 0) ? computed : stored;
    this.#entries(crc);
    if (header) this.#counts(header);
    this.#fit();
    return this.#told(header);
  }

  #told(header: ManifestHeader | undefined): ExaminedManifest {
    return { header, tables: this.#tables, findings: this.#findings, whole: this.#whole };
  }

  #damage(offset: number, length: number, message: string, diagnosis?: string): void {
    this.#whole = false;
    this.#tell('bad-manifest', offset, length, message, diagnosis);
  }

  #tell(code: string, offset: number, length: number, message: string, diagnosis?: string): void {
    const place = { file: MANIFEST_NAME, offset, length };
    this.#findings.push({
      code,
      severity: 'error',
      ...place,
      message,
      ...(diagnosis !== undefined && { diagnosis }),
      repair: 'write it anew from the tables',
    });
  }

  #badHeader(stored: number, computed: number): void {
    const message = `header: stored checksum ${hex32(stored)}, computed ${hex32(computed)}`;
    this.#damage(0, HEADER_BYTES, message, flipText(stored, computed, 0, CRC_AT, CRC_AT));
  }

  /** Its checksum holds. Undefined, and told: it is of a layout that is not known here. */
  #header(): ManifestHeader | undefined {
    const view = this.#view;
    const magic = Buffer.from(this.bytes.subarray(0, 8)).toString('latin1');
    const version = view.getUint16(8, true);
    const flags = view.getUint32(16, true);
    const size = view.getUint16(10, true);
    if (magic !== MAGIC) this.#damage(0, 8, `it does not begin with ${MAGIC}`);
    else if (version !== VERSION || flags !== 0 || size !== HEADER_BYTES) {
      this.#whole = false;
      const what = `layout version ${version}, flags ${hex32(flags)}, a header of ${size} bytes`;
      this.#tell('unsupported', 8, 12, `${what}: this reader knows version ${VERSION}`);
    } else {
      return {
        tables: view.getUint32(20, true),
        storeId: view.getBigUint64(24, true),
        generation: view.getBigUint64(32, true),
        flushedSeq: Number(view.getBigUint64(40, true)),
        nextFile: view.getUint32(48, true),
      };
    }
    return undefined;
  }

  #entry(at: number, crc: number, index: number): ManifestTable | undefined {
    return decodeEntry(this.bytes, this.#view, at, crc, index);
  }

  #entries(crc: number): void {
    const { bytes } = this;
    let at = HEADER_BYTES;
    for (let index = 0; at < bytes.length; index++) {
      const entry = this.#entry(at, crc, index);
      const end = this.#endOf(at);
      if (entry && end !== undefined) {
        this.#tables.push({ entry, offset: at, length: end - at });
        at = end;
        continue;
      }
      // Its own lengths may lead to the next one all the same.
      const next = end !== undefined && this.#entry(end, crc, index + 1) ? end : bytes.length;
      const last = next === bytes.length && end !== bytes.length;
      const message = `entry ${index}${last ? ', and all behind it' : ''}: its checksum does not hold`;
      this.#damage(
        at,
        next - at,
        message,
        last ? undefined : this.#entryFlip(at, next, crc, index),
      );
      at = next;
    }
  }

  #endOf(at: number): number | undefined {
    if (at + ENTRY_BYTES > this.bytes.length) return undefined;
    const keys = this.#view.getUint32(at + 56, true) + this.#view.getUint32(at + 60, true);
    const end = at + ENTRY_BYTES + keys;
    return end <= this.bytes.length ? end : undefined;
  }

  #entryFlip(at: number, end: number, crc: number, index: number): string | undefined {
    const computed = ~crc32c.update(~(crc ^ index), this.bytes, this.#view, at + 4, end) >>> 0;
    return flipText(this.#view.getUint32(at, true), computed, at + 4, end - at - 4, at);
  }

  #counts({ tables }: ManifestHeader): void {
    const { length } = this.bytes;
    const behind = this.#view.getUint32(52, true);
    if (behind !== length - HEADER_BYTES) {
      const message = `${behind} bytes of entries by the header, ${length - HEADER_BYTES} are there`;
      this.#damage(52, 4, message);
    } else if (this.#whole && tables !== this.#tables.length) {
      this.#damage(20, 4, `${tables} tables by the header, ${this.#tables.length} are there`);
    }
  }

  /** What no writer writes, whatever the checksums say. */
  #fit(): void {
    const numbers = new Set<number>();
    for (const { entry, offset, length } of this.#tables) {
      const { file, level, seqFirst, seqLast, entries, deletions, rangeDeletions } = entry;
      const wrong: string[] = [];
      if (numbers.has(file)) wrong.push('is named twice');
      if (level >= LEVELS) wrong.push(`is on level ${level}, the last one is ${LEVELS - 1}`);
      if (seqFirst > seqLast) wrong.push(`has numbers from ${seqFirst} to ${seqLast}`);
      if (deletions > entries || rangeDeletions > deletions) {
        wrong.push(`has ${entries} entries, ${deletions} deletions, ${rangeDeletions} of ranges`);
      }
      for (const what of wrong)
        this.#tell('edit-mismatch', offset, length, `table ${file} ${what}`);
      numbers.add(file);
    }
  }
}

/** In words, where one flipped bit is the only explanation. */
function flipText(
  stored: number,
  computed: number,
  dataAt: number,
  dataBytes: number,
  crcAt: number,
): string | undefined {
  const flips = explainFlips(crc32c, stored, computed, dataBytes);
  if (flips?.kind === 'stored') {
    return `bit ${flips.bit % 8} of the byte at ${crcAt + (flips.bit >> 3)}, of the checksum itself, is flipped`;
  }
  if (flips?.kind !== 'one') return undefined;
  const at = dataAt + dataBytes - 1 - flips.at.byteFromEnd;
  return `bit ${flips.at.bit} of the byte at ${at} is flipped`;
}
