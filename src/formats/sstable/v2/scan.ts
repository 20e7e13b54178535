/**
 * Reads a hardened table front to back. Headers of blocks have checksums of their own, so a length
 * can be believed; where one is hit, the next header is looked for at every 64th byte.
 */

import { hex32 } from '../../../shared/hex.ts';
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { EntryBlock } from '../entry-block.ts';
import type { TableDamage, TableScanContext, TableVisitor } from '../model.ts';
import {
  type BlockHeader,
  blockLength,
  type Footers,
  readBlockHeader,
  readFooterAt,
  readFooters,
  readTableHeader,
  unpack,
} from './blocks.ts';
import { V2Check } from './check.ts';
import * as wire from './layout.ts';
import { PayloadReader } from './payload.ts';

const SEARCH_BYTES = 256 * 1024;

export async function scanV2(
  source: ByteSource,
  context: TableScanContext,
  visitor: TableVisitor,
): Promise<void> {
  await new V2Scan(source, context, visitor).run();
}

class V2Scan {
  readonly #window: Window;
  readonly #block = new EntryBlock();
  readonly #reader = new PayloadReader();
  readonly #check: V2Check;
  readonly #size: number;
  #tableId: string | undefined;
  /** The number that the next block should have. */
  #next = 0;
  #stopped = false;
  #dataBlocks = 0;

  constructor(
    readonly source: ByteSource,
    readonly context: TableScanContext,
    readonly visitor: TableVisitor,
  ) {
    this.#window = new Window(source, context);
    this.#size = source.size ?? 0;
    this.#block.file = source.name;
    this.#check = new V2Check(source.name, context.depth, (damage) => this.#tell(damage));
  }

  async run(): Promise<void> {
    const { source, visitor } = this;
    const header = await readTableHeader(source);
    const footers = await readFooters(source);
    this.#tableId = header.tableId ?? footers.footer?.tableId;
    const headerBytes = Math.min(this.#size, wire.HEADER_BYTES);
    if (header.fault) {
      this.#fault('bad-magic', 0, headerBytes, header.fault, 'write the header anew');
    }
    visitor.frame?.('header', 0, headerBytes, header.fault ? 'bad-magic' : undefined);
    if (header.unknown !== 0) {
      const message = `incompatible flags ${hex32(header.unknown)} are not known: the blocks are not read`;
      this.#fault('not-understood', 16, 4, message, 'read it with the software that wrote it');
      visitor.frame?.('blocks_meta', headerBytes, this.#size - headerBytes, 'not-understood');
      return;
    }
    const end = await this.#blocks(headerBytes, footers);
    if (this.#stopped) return;
    await this.#footers(end, footers);
    this.#check.end(footers.footer, this.#next);
  }

  /** Returns where the blocks end. */
  async #blocks(from: number, footers: Footers): Promise<number> {
    const stop = footers.firstAt ?? (footers.second ? this.#size - wire.FOOTER_BYTES : this.#size);
    let at = from;
    while (at < stop && !this.#stopped) {
      await this.#window.fill(at, wire.BLOCK_HEADER_BYTES);
      const { bytes, view, base } = this.#window;
      const header = readBlockHeader(bytes, view, at - base);
      if (header && this.#belongs(header, at, stop)) {
        await this.#visit(header, at);
        at += blockLength(header);
        continue;
      }
      const found = await this.#search(at + wire.UNIT_BYTES, stop);
      const to = found ?? stop;
      if (found === undefined && !footers.firstAt && (await this.#zeros(at, to))) return at;
      this.#lost(at, to, found !== undefined, header);
      at = to;
    }
    return Math.min(at, stop);
  }

  #belongs(header: BlockHeader, at: number, stop: number): boolean {
    this.#tableId ??= header.tableId;
    return header.tableId === this.#tableId && at + blockLength(header) <= stop;
  }

  /** The next header of this table at a multiple of 64 bytes. */
  async #search(from: number, stop: number): Promise<number | undefined> {
    for (let at = from; at + wire.BLOCK_HEADER_BYTES <= stop; ) {
      await this.#window.fill(at, Math.min(SEARCH_BYTES, stop - at));
      const { bytes, view, base, end } = this.#window;
      const last = Math.min(stop, end) - wire.BLOCK_HEADER_BYTES;
      for (; at <= last; at += wire.UNIT_BYTES) {
        const header = readBlockHeader(bytes.subarray(0, end - base), view, at - base);
        if (header && this.#belongs(header, at, stop)) return at;
      }
      if (this.#window.atEnd) return undefined;
    }
    return undefined;
  }

  async #visit(header: BlockHeader, at: number): Promise<void> {
    const { context } = this;
    const length = blockLength(header);
    const { number, kind, storedBytes, rawBytes } = header;
    if (number !== this.#next) this.#misplaced(header, at, length);
    this.#next = number + 1;
    if (Math.max(length, rawBytes) > context.limits.recordBytes) {
      const most = context.limits.recordBytes;
      this.#bad(header, at, 'block-format', `${rawBytes} bytes unpacked, the limit is ${most}`);
      return;
    }
    await this.#window.fill(at, length);
    const { bytes, view, base } = this.#window;
    const start = at - base + wire.BLOCK_HEADER_BYTES;
    const end = start + storedBytes;
    const crc = wire.crcOf(bytes, start, end);
    if (crc !== header.payloadCrc) {
      const message = `stored crc ${hex32(header.payloadCrc)}, computed ${hex32(crc)} over the payload`;
      this.#bad(header, at, 'block-checksum', message);
      return;
    }
    for (let p = end; p < at - base + length; p++) {
      if (bytes[p] === 0) continue;
      const message = `byte ${bytes[p]} behind block ${number}, expected zeros up to ${at + length}`;
      this.#fault('block-format', base + p, 1, message, 'write the block anew');
      break;
    }
    if (kind === wire.KIND.data || kind === wire.KIND.ranges) {
      this.#entries(header, at, bytes, view, start, end);
      return;
    }
    const raw = unpack(header, bytes, start, end);
    const name = wire.KIND_NAMES[kind];
    if (!raw || !name || !this.#check.meta(kind, raw.slice(), header.entries, at)) {
      const what = name ?? `block of kind ${kind}`;
      this.#fault(
        'block-format',
        at,
        length,
        `${what}: the payload is not what it should be`,
        'write it anew',
      );
      this.visitor.frame?.(name ?? 'unknown_meta', at, length, 'block-format');
      return;
    }
    this.visitor.frame?.(name, at, length);
  }

  #entries(
    header: BlockHeader,
    at: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): void {
    const { kind, compression, rawBytes, entries } = header;
    const block = this.#block;
    block.number = this.#dataBlocks;
    block.offset = at;
    block.length = blockLength(header);
    block.rawBytes = rawBytes;
    block.compression = wire.COMPRESSION_NAMES[compression] ?? `type ${compression}`;
    block.rangeDeletions = kind === wire.KIND.ranges;
    block.count = 0;
    if (!block.rangeDeletions) this.#dataBlocks++;
    const packed = compression !== 0;
    if (this.context.depth !== 'quick' || !packed) {
      const raw = packed ? unpack(header, bytes, start, end) : undefined;
      const whole = raw
        ? this.#reader.read(raw, viewOf(raw), 0, raw.length, entries, block)
        : !packed &&
          rawBytes === end - start &&
          this.#reader.read(bytes, view, start, end, entries, block);
      if (!whole) {
        block.count = 0;
        this.#bad(
          header,
          at,
          'block-format',
          packed && !raw ? 'it cannot be unpacked' : this.#reader.fault,
          true,
        );
        return;
      }
    }
    this.#check.data(block);
    this.visitor.block(block);
    if (this.visitor.done?.()) this.#stopped = true;
  }

  /** A block whose header is whole and whose payload is not. */
  #bad(header: BlockHeader, at: number, code: string, message: string, counted = false): void {
    const { kind, number, entries } = header;
    const length = blockLength(header);
    const name = wire.KIND_NAMES[kind] ?? `kind ${kind}`;
    const data = kind === wire.KIND.data || kind === wire.KIND.ranges;
    if (kind === wire.KIND.data && !counted) this.#dataBlocks++;
    if (data) this.#check.lost(kind === wire.KIND.data);
    else this.#check.metaLost(kind);
    this.#tell({
      code,
      severity: 'error',
      file: this.source.name,
      offset: at,
      length,
      message: `block ${number} (${name}): ${message}`,
      repair: data ? 'drop the block, keep its bytes in quarantine' : 'write it anew',
      lost: data,
      ...(data && { entriesAtMost: entries }),
    });
    if (!data) this.visitor.frame?.(name, at, length, code);
  }

  /** No header that holds from `from` to `to`. */
  #lost(from: number, to: number, goesOn: boolean, foreign: BlockHeader | undefined): void {
    this.#check.lost(true);
    const other = foreign && foreign.tableId !== this.#tableId;
    this.#tell({
      code: other ? 'unaccounted' : goesOn ? 'block-checksum' : 'unfinished',
      severity: 'error',
      file: this.source.name,
      offset: from,
      length: to - from,
      message: other
        ? `a block of another table (${foreign.tableId}) lies here`
        : foreign
          ? `block ${foreign.number} of ${blockLength(foreign)} bytes leads past ${to}`
          : `no header of a block whose checksum holds in ${to - from} bytes`,
      evidence: goesOn ? `the next block of this table is at ${to}` : 'none follows',
      repair: 'drop these bytes, keep them in quarantine',
      lost: true,
    });
  }

  /**
   * Its checksum holds, and yet another block belongs here, unless those before were told as
   * lost.
   */
  #misplaced(header: BlockHeader, at: number, length: number): void {
    const explained = this.#check.gapBefore();
    if (explained && header.number > this.#next) return;
    const message = `block ${header.number} lies where block ${this.#next} belongs`;
    this.#fault('block-format', at, length, message, 'write the table anew, in order');
  }

  async #zeros(from: number, to: number): Promise<boolean> {
    if (to - from > wire.SECTOR_BYTES) return false;
    return (await bytesAt(this.source, from, to - from)).every((byte) => byte === 0);
  }

  async #footers(blocksEnd: number, footers: Footers): Promise<void> {
    const { firstAt, secondAt, first, second } = footers;
    const at = firstAt ?? blocksEnd;
    const rest = this.#size - at;
    if (rest <= 0) {
      this.#fault(
        'unfinished',
        this.#size,
        0,
        'the file ends without a footer',
        'write the footer anew',
      );
      return;
    }
    // Both copies, and zeros between them: whatever is not as it should be is told with its place.
    const bytes = await bytesAt(this.source, at, Math.min(rest, 2 * wire.SECTOR_BYTES));
    const view = viewOf(bytes);
    const expected = wire.secondFooterAt(at) + wire.FOOTER_BYTES;
    let code: string | undefined;
    if (!first || !readFooterAt(bytes, view, 0)) {
      code = 'bad-footer';
      const length = Math.min(wire.FOOTER_BYTES, rest);
      this.#fault(code, at, length, 'the first footer is not whole', 'write it anew');
    }
    if (!second) {
      code = 'bad-footer';
      const length = Math.min(rest, wire.FOOTER_BYTES);
      this.#fault(
        code,
        this.#size - length,
        length,
        'the second footer is not whole, or not at the end',
        'write it anew',
      );
    }
    for (let p = wire.FOOTER_BYTES; p < Math.min(secondAt - at, bytes.length); p++) {
      if (bytes[p] === 0) continue;
      code = 'bad-footer';
      this.#fault(
        code,
        at + p,
        1,
        `byte ${bytes[p]} between the footers, expected 0`,
        'write them anew',
      );
      break;
    }
    if (expected !== this.#size && first && second) {
      code = 'bad-footer';
      this.#fault(
        code,
        at,
        rest,
        `the file has ${this.#size} bytes, expected ${expected}`,
        'write them anew',
      );
    }
    this.visitor.frame?.('footer', at, rest, code);
  }

  #fault(code: string, offset: number, length: number, message: string, repair: string): void {
    const { name: file } = this.source;
    this.#tell({ code, severity: 'error', file, offset, length, message, repair, lost: false });
  }

  #tell(damage: TableDamage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}
