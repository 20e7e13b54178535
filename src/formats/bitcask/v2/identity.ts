/**
 * Which file of which store this is: its header, its name, what the manifest says. Without the crc
 * of the header no record can be checked, so where the header is hit, what else tells that crc is
 * asked: the manifest, a header made anew from name and store, in the end the records themselves.
 */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32c } from '../../../shared/crc32.ts';
import { hex32, toHex } from '../../../shared/hex.ts';
import { Window } from '../../bytes/window.ts';
import type { Mend } from '../../damage.ts';
import type { BitcaskScanContext } from '../model.ts';
import { RecordFinder, solveStamp, stampOf } from './finder.ts';
import {
  decodeDataHeader,
  encodeDataHeader,
  type FileHeader,
  storeIdText,
  unsupported,
  viewOf,
} from './headers.ts';
import { dataFile, HEAD_BYTES, HEADER_BYTES, HEADER_CRC_AT, MERGED, WRITTEN } from './layout.ts';
import type { Losses } from './losses.ts';
import type { ManifestFile, StoreManifest } from './manifest.ts';
import { type Carried, carried } from './store-files.ts';

export class DataIdentity {
  constructor(
    /** The crc in the header, which seeds the checksums of the records. */
    readonly fileCrc: number,
    readonly merged: boolean,
    readonly manifest: StoreManifest | undefined,
    /** The manifest's word on this very file. */
    readonly entry: ManifestFile | undefined,
  ) {}

  /** Bytes that were durable when the manifest was written. */
  get durableBytes(): number {
    return this.entry?.dataBytes ?? 0;
  }

  /** Nothing more is written to the file, and the manifest has its size. */
  get complete(): boolean {
    return this.entry !== undefined && (this.entry.sealed || this.manifest!.closed);
  }
}

export class Identifier {
  readonly #manifest: StoreManifest | undefined;
  readonly #carried: Carried;
  readonly #number: number | undefined;

  constructor(
    readonly window: Window,
    readonly context: BitcaskScanContext,
    readonly losses: Losses,
  ) {
    this.#carried = carried(context);
    this.#manifest = this.#carried.manifest;
    this.#number = dataFile(window.source.name);
  }

  /** Undefined: nothing of the file can be read, and that is told. */
  async identify(): Promise<DataIdentity | undefined> {
    const bytes = await this.#readHeader();
    if (bytes.length < HEADER_BYTES) {
      const message = `${bytes.length} bytes, the header alone has ${HEADER_BYTES}`;
      const lost = bytes.length > 0;
      this.losses.note('bad-header', 0, bytes.length, message, { lost });
      return undefined;
    }
    const header = decodeDataHeader(bytes);
    if (!header?.intact) return this.#withoutHeader(bytes, header);
    const { kind } = header;
    const known = kind === WRITTEN || kind === MERGED;
    const lacking = unsupported(header) ?? (known ? undefined : `kind ${kind} is not known`);
    if (lacking) {
      this.losses.note('unsupported', 0, HEADER_BYTES, `${lacking}: the file is not read`);
      return undefined;
    }
    this.#compare(header);
    return this.#identity(header.crc, kind === MERGED);
  }

  #identity(fileCrc: number, merged: boolean): DataIdentity {
    const manifest = this.#manifest;
    const entry = manifest?.files.find(({ dataCrc }) => dataCrc === fileCrc);
    return new DataIdentity(fileCrc, merged, manifest, entry);
  }

  async #readHeader(): Promise<Uint8Array> {
    const { window, context } = this;
    const bytes = new Uint8Array(HEADER_BYTES);
    if ((context.from ?? 0) <= HEADER_BYTES) {
      await window.fill(0, HEADER_BYTES);
      const got = Math.min(window.count, HEADER_BYTES);
      bytes.set(window.bytes.subarray(0, got));
      return bytes.subarray(0, got);
    }
    let done = 0;
    while (done < HEADER_BYTES) {
      const got = await window.source.read(bytes, done, HEADER_BYTES - done, done);
      if (got <= 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  }

  /** Against the name, and against the store. */
  #compare({ file, storeId }: FileHeader): void {
    const number = this.#number;
    if (number !== undefined && number !== file) {
      const message = `the header says file ${file}, the name ${number}`;
      const repair = 'nothing to drop: give the file its name back';
      this.losses.note('misplaced-file', 0, HEADER_BYTES, message, { repair });
    }
    const known = this.#carried;
    const store = this.#manifest?.storeId ?? known.storeId;
    known.storeId ??= storeId;
    if (store === undefined || store === storeId) return;
    const whose = this.#manifest ? 'the manifest is' : 'the first file is';
    const message = `of store ${storeIdText(storeId)}, ${whose} of store ${storeIdText(store)}`;
    const repair = 'nothing to drop: move the files of one store away';
    this.losses.note('foreign-file', 0, HEADER_BYTES, message, { repair });
  }

  /** The header does not check: what was the crc in it, as the records have it? */
  async #withoutHeader(
    bytes: Uint8Array,
    header: FileHeader | undefined,
  ): Promise<DataIdentity | undefined> {
    const candidates = this.#candidates(bytes);
    const found = await this.#crcByRecords(candidates);
    const crc = found ?? candidates[0]!.crc;
    const whole = candidates.find((one) => one.crc === crc && one.header)?.header;
    const { diagnosis, mend } = explainHeader(bytes, crc, whole);
    const stored = viewOf(bytes).getUint32(HEADER_CRC_AT, true);
    const computed = crc32c.of(bytes, 0, HEADER_CRC_AT);
    const zeros = bytes.every((byte) => byte === 0);
    const what = zeros
      ? 'zeros where the header belongs'
      : header
        ? `stored checksum ${hex32(stored)}, computed ${hex32(computed)}`
        : 'its magic is not that of a data file';
    const teller = found !== undefined ? 'the records tell' : this.#entry && 'the manifest tells';
    const rest = teller
      ? `${teller} that its checksum was ${hex32(crc)}: nothing is lost`
      : 'no record tells what its checksum was';
    this.losses.note('bad-header', 0, HEADER_BYTES, `${what}; ${rest}`, {
      ...(diagnosis !== undefined && { diagnosis }),
      ...(mend && { mend }),
    });
    const sure = whole ? decodeDataHeader(whole) : undefined;
    if (sure) this.#compare(sure);
    const identity = this.#identity(crc, (sure ?? header)?.kind === MERGED);
    return identity;
  }

  /** What the manifest says of the file of this name. */
  get #entry(): ManifestFile | undefined {
    return this.#manifest?.files.find(({ file }) => file === this.#number);
  }

  /** What the crc may have been, and the header that it is the crc of. The likeliest first. */
  #candidates(bytes: Uint8Array): { crc: number; header?: Uint8Array }[] {
    const view = viewOf(bytes);
    const entry = this.#entry;
    const made: { crc: number; header: Uint8Array }[] = [];
    const numbers = new Set([this.#number ?? view.getUint32(20, true), view.getUint32(20, true)]);
    const stores = [this.#carried.storeId, this.#manifest?.storeId];
    for (const storeId of new Set([...stores, view.getBigUint64(24, true)])) {
      if (storeId === undefined) continue;
      for (const file of numbers) {
        for (const kind of [WRITTEN, MERGED]) {
          const header = encodeDataHeader({ file, storeId, kind });
          made.push({ crc: viewOf(header).getUint32(HEADER_CRC_AT, true), header });
        }
      }
    }
    const told = [...(entry ? [entry.dataCrc] : []), view.getUint32(HEADER_CRC_AT, true)];
    const known = told.map((crc) => made.find((one) => one.crc === crc) ?? { crc });
    return [...known, ...made];
  }

  /** The one that the records were made with; undefined if none of them tells. */
  async #crcByRecords(candidates: readonly { crc: number }[]): Promise<number | undefined> {
    const { source } = this.window;
    if (source.forwardOnly) return undefined;
    const window = new Window(source, { ...this.context, progress: undefined });
    const finder = new RecordFinder(window, this.context.limits.recordBytes);
    const crcAt = (stamp: number, at: number) =>
      candidates.find(({ crc }) => stampOf(crc, at) === stamp)?.crc;
    let from = HEADER_BYTES;
    let told: number | undefined;
    while (await finder.find(from, (stamp, at) => crcAt(stamp, at) !== undefined)) {
      const { at, total, stamp } = finder;
      const crc = crcAt(stamp, at);
      if (crc !== undefined) return crc;
      const strange = stampOf(stamp, at);
      if (told === undefined && (await this.#nextAgrees(finder, at + total, strange))) {
        told = strange;
      }
      from = at + total;
    }
    // What no record bears out, the manifest still knows better than one that may be out of place.
    return this.#entry ? undefined : told;
  }

  /** Whether the record at `at` was made with this crc too, or the file ends there. */
  async #nextAgrees(finder: RecordFinder, at: number, crc: number): Promise<boolean> {
    const { window } = finder;
    await finder.need(at, HEAD_BYTES);
    if (window.end <= at) return window.atEnd && window.end === at;
    if (window.end < at + HEAD_BYTES) return false;
    return solveStamp(window.bytes, window.view, at - window.base) === stampOf(crc, at);
  }
}

/** What was hit of a header whose crc was `crc`, and its bytes as they were, if that is known. */
function explainHeader(
  bytes: Uint8Array,
  crc: number,
  whole: Uint8Array | undefined,
): { diagnosis?: string; mend?: Mend } {
  const mend = whole && { offset: 0, hex: toHex(whole) };
  const view = viewOf(bytes);
  const stored = view.getUint32(HEADER_CRC_AT, true);
  const computed = crc32c.of(bytes, 0, HEADER_CRC_AT);
  const flips = explainFlips(crc32c, stored, computed, HEADER_CRC_AT);
  // Only what agrees with the crc that the records have.
  if (flips?.kind === 'stored' && computed === crc) {
    const at = HEADER_CRC_AT + (flips.bit >>> 3);
    return { ...(mend && { mend }), diagnosis: bitAt(flips.bit & 7, at) };
  }
  if (flips?.kind === 'one' && stored === crc) {
    const at = HEADER_CRC_AT - 1 - flips.at.byteFromEnd;
    return { ...(mend && { mend }), diagnosis: bitAt(flips.at.bit, at) };
  }
  return mend ? { mend } : {};
}

function bitAt(bit: number, at: number): string {
  return `bit ${bit} of the byte at ${at} is flipped`;
}
