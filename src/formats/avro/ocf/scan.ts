/**
 * The scan of a container: header, blocks and damage in file order. Blocks are taken by their
 * framing alone; what is in them is looked at by those who want it (see block-data.ts). After
 * damage the scan goes on behind the next marker, which stands nowhere by chance.
 */
import { Window } from '../../bytes/window.ts';
import type { ByteSource, Finding, ScanContext } from '../../format.ts';
import { readVarint, type Varint } from '../codec/varint.ts';
import { type Header, type HeaderFault, readHeader } from './header.ts';
import { BLOCK_HEAD_BYTES_MAX, HEADER_BYTES_MAX, MARKER_BYTES } from './spec.ts';

/** A block; the object and its bytes are used again for the next. */
export class Block {
  /** In the file, with framing. */
  offset = 0;
  length = 0;
  /** Data that it says it has. */
  count = 0;
  /** The compressed data, within `bytes`. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** Where the compressed data begin in the file. */
  dataOffset = 0;
}

export interface Damage extends Finding {
  /** True where the bytes yield no block. */
  lost: boolean;
  /** The bytes that put it right, where that is certain. */
  mend?: { offset: number; hex: string };
  /** Of a block that was not finished: how many data it was to have, and where they begin. */
  begun?: { count: number; dataOffset: number };
}

export interface ContainerVisitor {
  header?(header: Header): void | Promise<void>;
  block(block: Block): void;
  damage(damage: Damage): void;
  /** Asked between blocks; true ends the scan. */
  done?(): boolean;
}

/** Scans a container; returns the number of bytes that it has. */
export async function scanContainer(
  source: ByteSource,
  context: ScanContext,
  visitor: ContainerVisitor,
): Promise<number> {
  const scan = new Scan(source, context, visitor);
  await scan.run();
  return scan.size;
}

class Scan {
  readonly window: Window;
  readonly block = new Block();
  size = 0;
  #at = 0;
  #marker: Buffer = Buffer.alloc(0);

  constructor(
    readonly source: ByteSource,
    readonly context: ScanContext,
    readonly visitor: ContainerVisitor,
  ) {
    this.window = new Window(source, context);
  }

  async run(): Promise<void> {
    if (!(await this.#header())) return;
    const { window, visitor } = this;
    for (;;) {
      if (visitor.done?.()) break;
      // A look at the window at hand costs nothing; only at its end it is filled.
      if (window.end - this.#at < BLOCK_HEAD_BYTES_MAX) {
        await window.fill(this.#at, BLOCK_HEAD_BYTES_MAX);
      }
      this.size = Math.max(this.size, window.end);
      if (window.end <= this.#at) break;
      if (!(await this.#next())) break;
    }
  }

  /** False if there is nothing that can be read behind it. */
  async #header(): Promise<boolean> {
    const { window, visitor } = this;
    for (let wanted = 4096; ; wanted *= 2) {
      await window.fill(0, wanted);
      const result = readHeader(window.bytes.subarray(0, window.count));
      if (result.state === 'ok') {
        const { header } = result;
        this.#marker = header.marker;
        this.#at = header.length;
        this.size = window.count;
        await visitor.header?.(header);
        for (const fault of header.faults) this.#headerDamage(fault);
        return true;
      }
      if (result.state === 'cut' && !window.atEnd && wanted < HEADER_BYTES_MAX) continue;
      await this.#noHeader(result.state === 'bad' ? result.fault : undefined);
      return false;
    }
  }

  #headerDamage(fault: HeaderFault): void {
    const mend = fault.code === 'bad-magic' ? { mend: { offset: 0, hex: '4f626a01' } } : undefined;
    this.visitor.damage({
      severity: 'error',
      file: this.source.name,
      ...fault,
      lost: false,
      repair: mend ? 'put the four bytes right' : 'nothing: without it nobody can read the data',
      ...mend,
    });
  }

  /** Nothing in the file can be read without its header. */
  async #noHeader(fault: HeaderFault | undefined): Promise<void> {
    const { window, source } = this;
    let end = window.end;
    if (source.size !== undefined) end = source.size;
    else {
      while (!window.atEnd) {
        await window.fill(window.end, 1);
        end = window.end;
      }
    }
    this.size = end;
    const message = fault?.message ?? `the header does not end within the ${end} bytes there are`;
    this.visitor.damage({
      code: fault || end >= HEADER_BYTES_MAX ? 'bad-header' : 'torn-tail',
      severity: fault || end >= HEADER_BYTES_MAX ? 'error' : 'warning',
      file: source.name,
      offset: fault?.offset ?? 0,
      length: end - (fault?.offset ?? 0),
      message,
      repair: 'nothing: without its header nobody can read the data',
      lost: true,
    });
  }

  /** The block at #at; false at the end. */
  async #next(): Promise<boolean> {
    const { window, context } = this;
    let index = this.#at - window.base;
    const count = readVarint(window.bytes, index, window.count);
    const size = readVarint(window.bytes, index + count.length, window.count);
    const fault = this.#headFault(count, size);
    if (fault) return this.#damaged(fault.code, fault.message);
    const headBytes = count.length + size.length;
    const length = headBytes + Number(size.value) + MARKER_BYTES;
    if (length > context.limits.recordBytes) {
      const message = `a block of ${size.value} bytes; the limit is ${context.limits.recordBytes}`;
      return this.#damaged('bad-block', message);
    }
    if (window.end - this.#at < length) await window.fill(this.#at, length);
    this.size = Math.max(this.size, window.end);
    index = this.#at - window.base;
    const there = window.end - this.#at;
    if (there < length) {
      const message = `a block of ${length} bytes begins here, ${there} are left`;
      const dataOffset = this.#at + headBytes;
      return this.#damaged('bad-block', message, { count: Number(count.value), dataOffset });
    }
    const end = index + length - MARKER_BYTES;
    const { block } = this;
    block.offset = this.#at;
    block.length = length;
    block.count = Number(count.value);
    block.bytes = window.bytes;
    block.start = index + headBytes;
    block.end = end;
    block.dataOffset = this.#at + headBytes;
    if (!this.#isMarker(window.bytes, end)) return this.#badMarker(length);
    this.visitor.block(block);
    this.#at += length;
    return true;
  }

  #headFault(count: Varint, size: Varint): { code: string; message: string } | undefined {
    const code = 'bad-block';
    if (count.state === 'cut' || size.state === 'cut') {
      return { code, message: 'the file ends within the count and size of a block' };
    }
    if (count.state === 'long' || size.state === 'long') {
      return { code, message: 'count or size of a block has more than 64 bits' };
    }
    for (const [name, { value }] of [
      ['count', count],
      ['size', size],
    ] as const) {
      if (typeof value === 'bigint' || value < 0) {
        return { code, message: `the ${name} of a block is ${value}` };
      }
    }
    return undefined;
  }

  #isMarker(bytes: Uint8Array, at: number): boolean {
    const marker = this.#marker;
    for (let i = 0; i < MARKER_BYTES; i++) if (bytes[at + i] !== marker[i]) return false;
    return true;
  }

  /**
   * The block ends where no marker is. If a block begins right there, or the file ends, it is the
   * marker that is damaged and not the size.
   */
  async #badMarker(length: number): Promise<boolean> {
    const { window, block } = this;
    const start = this.#at;
    const end = start + length;
    const markerAt = end - MARKER_BYTES;
    const wanted = this.#marker.toString('hex');
    const next = await this.#blockAt(end);
    // The look ahead may have moved the window.
    const dataBytes = block.end - block.start;
    block.bytes = window.bytes;
    block.start = block.dataOffset - window.base;
    block.end = block.start + dataBytes;
    const found = Buffer.from(window.bytes.subarray(block.end, block.end + MARKER_BYTES));
    // A file system that lost the last write leaves zeros.
    const last = window.atEnd && window.end === end && found.some((byte) => byte !== 0);
    if (!next && !last) {
      return this.#damaged('bad-block', `no marker stands where the block ends, at ${markerAt}`);
    }
    this.visitor.damage({
      code: 'bad-marker',
      severity: 'error',
      file: this.source.name,
      offset: markerAt,
      length: MARKER_BYTES,
      message: `the marker behind the block is ${found.toString('hex')}, expected ${wanted}`,
      evidence: `${next ? 'the next block begins' : 'the file ends'} right behind it, at ${end}`,
      repair: 'put the marker right',
      lost: false,
      mend: { offset: markerAt, hex: wanted },
    });
    this.visitor.block(block);
    this.#at = end;
    return true;
  }

  /** Whether an intact block begins at `position`. */
  async #blockAt(position: number): Promise<boolean> {
    const { window, context } = this;
    const from = this.#at;
    const ahead = position - from;
    await window.fill(from, ahead + BLOCK_HEAD_BYTES_MAX);
    const index = position - window.base;
    const count = readVarint(window.bytes, index, window.count);
    const size = readVarint(window.bytes, index + count.length, window.count);
    if (this.#headFault(count, size)) return false;
    const length = count.length + size.length + Number(size.value) + MARKER_BYTES;
    if (length > context.limits.recordBytes) return false;
    await window.fill(from, ahead + length);
    if (window.end < position + length) return false;
    return this.#isMarker(window.bytes, position - window.base + length - MARKER_BYTES);
  }

  /** Searches for the next marker, and tells what lies before it. */
  async #damaged(code: string, message: string, begun?: Damage['begun']): Promise<boolean> {
    const { window, source } = this;
    const start = this.#at;
    const file = source.name;
    for (let at = start; ; ) {
      await window.fill(at, Math.max(4096, 2 * MARKER_BYTES));
      this.size = Math.max(this.size, window.end);
      const bytes = Buffer.from(window.bytes.buffer, 0, window.count);
      const found = bytes.indexOf(this.#marker, at - window.base);
      if (found >= 0) {
        const end = window.base + found + MARKER_BYTES;
        this.visitor.damage({
          code,
          severity: 'error',
          file,
          offset: start,
          length: end - start,
          message,
          evidence: `the marker that ends a block stands at ${end - MARKER_BYTES}`,
          repair: 'drop the bytes up to behind the marker, keep them in quarantine',
          lost: true,
        });
        this.#at = end;
        return true;
      }
      if (window.atEnd) break;
      at = Math.max(at + 1, window.end - MARKER_BYTES + 1);
    }
    this.visitor.damage({
      code: 'torn-tail',
      severity: 'warning',
      file,
      offset: start,
      length: window.end - start,
      message,
      evidence: 'no marker follows up to the end of the file',
      repair: 'cut the file here, keep the bytes in quarantine',
      lost: true,
      ...(begun && { begun }),
    });
    this.#at = window.end;
    return false;
  }
}
