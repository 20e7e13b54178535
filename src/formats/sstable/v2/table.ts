/**
 * A table as its header, footers, index, filter and properties describe it. What of these is
 * damaged is left out; the scan tells of it, since it comes by every byte.
 */
import { inflate } from '../../../shared/codecs/deflate.ts';
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import { BlockHead, bodyCrcOf } from './block.ts';
import { LineFilter } from './filter.ts';
import {
  decodeFooter,
  decodeHeader,
  decodeProperties,
  type HeaderLook,
  isFooterMagic,
  isTableMagic,
  type Place,
  type Properties,
  type TableFooter,
} from './frames.ts';
import { IndexTable } from './index-table.ts';
import * as names from './layout.ts';

export class V2Table {
  look: HeaderLook | undefined;
  /** Undefined: neither header nor footer says it. */
  fileCrc: number | undefined;
  footer: TableFooter | undefined;
  /** Where the footer that is used lies. */
  footerAt = -1;
  index: IndexTable | undefined;
  filter: LineFilter | undefined;
  properties: Properties | undefined;
  /** What this reader must know and does not. */
  refused: string | undefined;

  private constructor(
    readonly source: ByteSource,
    readonly context: ScanContext,
  ) {}

  static async load(source: ByteSource, context: ScanContext): Promise<V2Table> {
    const table = new V2Table(source, context);
    await table.#load();
    return table;
  }

  get size(): number {
    return this.source.size ?? 0;
  }

  async #load(): Promise<void> {
    const head = await bytesAt(this.source, 0, names.HEADER_BYTES);
    this.look = decodeHeader(head);
    this.refused = this.look?.refused;
    if (this.refused !== undefined) return;
    await this.#findFooter();
    if (this.look?.intact) this.fileCrc = this.look.stored;
    else this.fileCrc = this.footer?.fileCrc ?? (await this.#guessCrc(head));
    // A footer of another file: misplaced, or the header is.
    if (this.footer && this.footer.fileCrc !== this.fileCrc) this.footer = undefined;
    const { footer } = this;
    if (!footer) return;
    this.index = await this.#indexAt(footer.index);
    const filter = await this.payload(footer.filter, names.KIND.filter);
    if (filter) this.filter = LineFilter.read(filter, viewOf(filter), 0, filter.length);
    const properties = await this.payload(footer.properties, names.KIND.properties);
    if (properties) this.properties = decodeProperties(properties);
  }

  async #findFooter(): Promise<void> {
    const { source, size } = this;
    const back = Math.min(size, names.FOOTER_SEARCH_BYTES);
    const near = Math.min(back, 64 * 1024);
    for (const length of near < back ? [near, back] : [near]) {
      // From a multiple of the alignment on.
      const from = Math.ceil((size - length) / names.ALIGN_BYTES) * names.ALIGN_BYTES;
      const bytes = await bytesAt(source, from, size - from);
      const last = Math.floor((bytes.length - names.FOOTER_BYTES) / names.ALIGN_BYTES);
      for (let at = last * names.ALIGN_BYTES; at >= 0; at -= names.ALIGN_BYTES) {
        if (!isFooterMagic(bytes, at)) continue;
        const footer = decodeFooter(bytes, at, from + at);
        if (!footer) continue;
        this.footer = footer;
        this.footerAt = from + at;
        return;
      }
    }
  }

  /** With a damaged header: either its checksum or what it covers is still as it was written. */
  async #guessCrc(head: Uint8Array): Promise<number | undefined> {
    const look = this.look;
    const first = await bytesAt(this.source, names.HEADER_BYTES, names.HEAD_BYTES);
    if (!look || first.length < names.HEAD_BYTES) return look?.stored;
    const block = new BlockHead();
    for (const crc of [look.stored, look.computed]) {
      if (block.read(first, viewOf(first), 0, crc, names.HEADER_BYTES)) return crc;
    }
    return isTableMagic(head) ? look.stored : undefined;
  }

  async #indexAt(place: Place): Promise<IndexTable | undefined> {
    const payload = await this.payload(place, names.KIND.index);
    return payload && IndexTable.read(payload, viewOf(payload), 0, payload.length, this.#entries);
  }

  #entries = 0;

  /** The payload of a block that is no data, checked; undefined where it is damaged or absent. */
  async payload({ offset, bytes }: Place, kind: number): Promise<Uint8Array | undefined> {
    const { source, fileCrc, context, size } = this;
    if (bytes < names.HEAD_BYTES || bytes % names.ALIGN_BYTES !== 0 || fileCrc === undefined) {
      return undefined;
    }
    if (offset % names.ALIGN_BYTES !== 0 || offset + bytes > size) return undefined;
    if (bytes > context.limits.recordBytes) return undefined;
    const block = await bytesAt(source, offset, bytes);
    const checked = checkedPayload(block, offset, kind, fileCrc);
    this.#entries = checked?.entries ?? 0;
    return checked?.payload;
  }
}

/** The payload of a whole block of that kind, which lies at `offset`; undefined: it is damaged. */
export function checkedPayload(
  block: Uint8Array,
  offset: number,
  kind: number,
  fileCrc: number,
): { payload: Uint8Array; entries: number } | undefined {
  if (block.length < names.HEAD_BYTES) return undefined;
  const view = viewOf(block);
  const head = new BlockHead();
  if (!head.read(block, view, 0, fileCrc, offset) || head.kind !== kind) return undefined;
  if (names.aligned(names.HEAD_BYTES + head.storedBytes) !== block.length) return undefined;
  if (bodyCrcOf(block, view, 0, block.length, fileCrc, offset) !== head.bodyCrc) return undefined;
  const payload = unpacked(head, block, 0);
  return payload && { payload, entries: head.entries };
}

/** The payload of bytes[at, …), a block whose checksums hold; undefined: it cannot be unpacked. */
export function unpacked(head: BlockHead, bytes: Uint8Array, at: number): Uint8Array | undefined {
  const start = at + names.HEAD_BYTES;
  const stored = bytes.subarray(start, start + head.storedBytes);
  if (head.compression === 0) return head.rawBytes === head.storedBytes ? stored : undefined;
  if (head.compression !== names.DEFLATE) return undefined;
  return inflate(stored, head.rawBytes);
}
