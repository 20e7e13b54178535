/**
 * A file that is being edited without being read: a row of pieces, most of them spans of the
 * input. Edits cut and splice the row; bytes are fetched when somebody looks, or when the result
 * is written. So a flipped bit in a file of gigabytes costs a few objects.
 */
import { fillRandom } from '../../shared/random.ts';

export type Piece =
  /** Bytes of the input from `at` on. */
  | { readonly kind: 'input'; readonly at: number; readonly length: number }
  | { readonly kind: 'zeros'; readonly length: number }
  /** What lies at `at` of the endless random stream `seed`. */
  | { readonly kind: 'random'; readonly seed: number; readonly at: number; readonly length: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly length: number };

/**
 * Fills target[start, start + length) with the input's bytes at `position`: all of them, or it
 * throws.
 */
export type ReadInput = (
  target: Uint8Array,
  start: number,
  length: number,
  position: number,
) => void;

export function bytesPiece(bytes: Uint8Array): Piece {
  return { kind: 'bytes', bytes, length: bytes.length };
}

export class Pieces {
  #row: Piece[];
  #size: number;

  constructor(
    inputSize: number,
    readonly readInput: ReadInput,
  ) {
    this.#size = inputSize;
    this.#row = inputSize > 0 ? [{ kind: 'input', at: 0, length: inputSize }] : [];
  }

  get size(): number {
    return this.#size;
  }

  /** The pieces of [offset, offset + length), which lies inside. */
  slice(offset: number, length: number): Piece[] {
    const pieces: Piece[] = [];
    let at = 0;
    for (const piece of this.#row) {
      const from = Math.max(offset, at);
      const to = Math.min(offset + length, at + piece.length);
      if (from < to) pieces.push(part(piece, from - at, to - from));
      at += piece.length;
      if (at >= offset + length) break;
    }
    return pieces;
  }

  /** Puts `pieces` in the place of [offset, offset + length). */
  replace(offset: number, length: number, pieces: readonly Piece[]): void {
    const end = offset + length;
    this.#row = [...this.slice(0, offset), ...pieces, ...this.slice(end, this.#size - end)];
    this.#size += pieces.reduce((sum, piece) => sum + piece.length, 0) - length;
  }

  /** Fills target[0, length) with the bytes at `offset`. */
  read(target: Uint8Array, offset: number, length: number): void {
    let done = 0;
    for (const piece of this.slice(offset, length)) {
      this.#fetch(piece, target, done);
      done += piece.length;
    }
  }

  /** At most `most` of the bytes at `offset`. */
  bytes(offset: number, length: number, most: number): Uint8Array {
    const target = new Uint8Array(Math.min(length, most));
    this.read(target, offset, target.length);
    return target;
  }

  /** All bytes in order, `buffer` full by `buffer` full. */
  *chunks(buffer: Uint8Array): Generator<Uint8Array> {
    for (const piece of this.#row) {
      for (let at = 0; at < piece.length; at += buffer.length) {
        const length = Math.min(buffer.length, piece.length - at);
        this.#fetch(part(piece, at, length), buffer, 0);
        yield buffer.subarray(0, length);
      }
    }
  }

  #fetch(piece: Piece, target: Uint8Array, start: number): void {
    const end = start + piece.length;
    switch (piece.kind) {
      case 'input':
        this.readInput(target, start, piece.length, piece.at);
        break;
      case 'zeros':
        target.fill(0, start, end);
        break;
      case 'random':
        fillRandom(piece.seed, piece.at, target, start, end);
        break;
      case 'bytes':
        target.set(piece.bytes, start);
    }
  }
}

/** [from, from + length) of a piece. */
function part(piece: Piece, from: number, length: number): Piece {
  if (from === 0 && length === piece.length) return piece;
  switch (piece.kind) {
    case 'zeros':
      return { kind: 'zeros', length };
    case 'bytes':
      return bytesPiece(piece.bytes.subarray(from, from + length));
    default:
      return { ...piece, at: piece.at + from, length };
  }
}
