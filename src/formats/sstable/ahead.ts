/**
 * A source that is read from front to back in small steps, as a merge reads its tables: in large
 * pieces, the next of which is fetched while the last is used. Reads elsewhere, of the index, pass
 * through.
 */
import type { ByteSource } from '../format.ts';

const PIECE_BYTES_MAX = 1024 * 1024;
const PIECE_BYTES_MIN = 32 * 1024;
/** What the pieces of all inputs together may take. */
const ALL_BYTES = 32 * 1024 * 1024;

export function readingAhead(source: ByteSource, sources: number): ByteSource {
  if (source.forwardOnly || !source.readBeside || source.size === undefined) return source;
  const share = Math.floor(ALL_BYTES / (2 * Math.max(1, sources)));
  const bytes = Math.max(PIECE_BYTES_MIN, Math.min(PIECE_BYTES_MAX, share));
  return source.size <= bytes ? source : new AheadSource(source, bytes);
}

class AheadSource implements ByteSource {
  readonly name: string;
  readonly size: number | undefined;
  /** The piece that is used holds the file from #at to #end. */
  #piece = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #other = new Uint8Array(0);
  /** Bytes behind #end that are on their way into #other. */
  #coming: Promise<number> | undefined;
  /** Where the last read ended: one that begins there is taken for the second of many. */
  #last = -1;

  constructor(
    readonly source: ByteSource,
    readonly pieceBytes: number,
  ) {
    this.name = source.name;
    this.size = source.size;
  }

  read(
    target: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number | Promise<number> {
    const last = this.#last;
    this.#last = position + length;
    if (position >= this.#at && position + length <= this.#end) {
      this.#copy(target, start, length, position);
      return length;
    }
    const within = position >= this.#at && position <= this.#end && this.#end > this.#at;
    if (length <= this.pieceBytes && (within || position === last)) {
      return this.#across(target, start, length, position, within);
    }
    return this.source.read(target, start, length, position);
  }

  close(): void {
    this.source.close?.();
  }

  #copy(target: Uint8Array, start: number, length: number, position: number): void {
    const from = position - this.#at;
    target.set(this.#piece.subarray(from, from + length), start);
  }

  /** What the piece has, and the rest of the next one. */
  async #across(
    target: Uint8Array,
    start: number,
    length: number,
    position: number,
    within: boolean,
  ): Promise<number> {
    if (!within) {
      // One that is on its way still needs its buffer.
      await this.#coming?.catch(() => 0);
      if (this.#piece.length === 0) {
        this.#piece = new Uint8Array(this.pieceBytes);
        this.#other = new Uint8Array(this.pieceBytes);
      }
      this.#at = this.#end = position;
      this.#fetch();
    }
    const here = this.#end - position;
    this.#copy(target, start, here, position);
    const got = (await this.#coming) ?? 0;
    [this.#piece, this.#other] = [this.#other, this.#piece];
    this.#at = this.#end;
    this.#end += got;
    this.#fetch();
    const rest = Math.min(length - here, got);
    this.#copy(target, start + here, rest, this.#at);
    return here + rest;
  }

  #fetch(): void {
    const { pieceBytes, size = 0 } = this;
    const left = Math.min(pieceBytes, size - this.#end);
    this.#coming =
      left > 0 ? this.source.readBeside!(this.#other, 0, left, this.#end) : Promise.resolve(0);
    // Whoever asks for the bytes is told; nobody may.
    this.#coming.catch(() => {});
  }
}
