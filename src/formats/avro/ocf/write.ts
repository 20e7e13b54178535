/** Writes containers: a header, and blocks that are closed when they are large enough. */
import { createHash } from 'node:crypto';
import type { BlockCodec } from '../../../shared/codecs/block-codec.ts';
import { Writer } from '../codec/writer.ts';
import {
  BLOCK_BYTES_DEFAULT,
  CODEC_KEY,
  type CodecName,
  MAGIC,
  MARKER_BYTES,
  SCHEMA_KEY,
} from './spec.ts';

export interface ContainerOptions {
  codec: CodecName;
  /** Ready to use, see loadCodec. */
  compression: BlockCodec;
  /** The schema as it shall stand in the header. */
  schemaText: string;
  /** Further metadata of the header. */
  meta?: ReadonlyMap<string, Uint8Array>;
  /** Sixteen bytes that stand in no data; random ones, or those of a container that is mended. */
  marker: Uint8Array;
  blockBytes?: number;
}

/** A marker that depends on `seed` alone, for files that shall come out the same each time. */
export function markerOf(seed: string): Buffer {
  return createHash('sha256').update(seed).digest().subarray(0, MARKER_BYTES);
}

export class ContainerWriter {
  readonly #data = new Writer();
  readonly #frame = new Writer();
  readonly #blockBytes: number;
  #count = 0;
  records = 0;
  blocks = 0;

  constructor(
    readonly options: ContainerOptions,
    readonly output: (bytes: Uint8Array) => void,
  ) {
    this.#blockBytes = options.blockBytes ?? BLOCK_BYTES_DEFAULT;
    this.#header();
  }

  #header(): void {
    const { codec, schemaText, meta = new Map<string, Uint8Array>(), marker } = this.options;
    const entries = new Map<string, Uint8Array>([
      [SCHEMA_KEY, Buffer.from(schemaText, 'utf8')],
      [CODEC_KEY, Buffer.from(codec, 'latin1')],
    ]);
    for (const [key, value] of meta) if (!entries.has(key)) entries.set(key, value);
    const frame = this.#frame;
    frame.reset();
    frame.raw(MAGIC);
    frame.int(entries.size);
    for (const [key, value] of entries) {
      frame.string(key);
      frame.data(value);
    }
    frame.int(0);
    frame.raw(marker);
    this.output(frame.written);
  }

  /** Writes a datum with `put`, which is given where to. */
  datum(put: (writer: Writer) => void): void {
    put(this.#data);
    this.#count++;
    if (this.#data.at >= this.#blockBytes) this.flush();
  }

  /** Data that are encoded already. */
  encoded(bytes: Uint8Array, count: number): void {
    this.#data.raw(bytes);
    this.#count += count;
    if (this.#data.at >= this.#blockBytes) this.flush();
  }

  /** Closes the block. */
  flush(): void {
    if (this.#count === 0) return;
    const packed = this.options.compression.compress(this.#data.written);
    this.block(this.#count, packed);
    this.#data.reset();
    this.#count = 0;
  }

  /** A block whose data are compressed already. */
  block(count: number, packed: Uint8Array): void {
    const frame = this.#frame;
    frame.reset();
    frame.long(count);
    frame.long(packed.length);
    frame.raw(packed);
    frame.raw(this.options.marker);
    this.output(frame.written);
    this.records += count;
    this.blocks++;
  }
}
