/** Damage to rehearse on: what disks, networks and programs do to files, one mutation a kind. */
import { DdiaError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import type { Random } from '../../shared/random.ts';
import { bytesPiece, type Piece, type Pieces } from './pieces.ts';

export type Mutation =
  /** One bit, 0 the lowest; a random one if it is not given. */
  | { kind: 'flip'; offset: number; bit?: number | undefined }
  /** Bytes become zeros, as a lost sector reads. */
  | { kind: 'zero'; offset: number; length: number }
  /** The file ends after `size` bytes. */
  | { kind: 'truncate'; size: number }
  /** Two pages, counted from 0, change places: misdirected writes. */
  | { kind: 'swap-pages'; a: number; b: number; pageSize: number }
  /** Bytes become random ones. */
  | { kind: 'garbage'; offset: number; length: number }
  /** A span stands twice, one after the other: a write that was repeated. */
  | { kind: 'duplicate'; offset: number; length: number }
  | { kind: 'insert'; offset: number; bytes: Uint8Array };

export const MUTATION_KINDS = [
  'flip',
  'zero',
  'truncate',
  'swap-pages',
  'garbage',
  'duplicate',
  'insert',
] as const;
export type MutationKind = (typeof MUTATION_KINDS)[number];

/**
 * What was done, with the bytes before and after, up to BYTES_TOLD of them. Offsets: as it was
 * then.
 */
export interface Mutated {
  kind: MutationKind;
  offset: number;
  length: number;
  bit?: number;
  /** swap-pages: where the other page lies. */
  otherOffset?: number;
  before: string;
  after: string;
}

const BYTES_TOLD = 64;

/** Does one mutation to `pieces`. Throws a DdiaError when the file has not the bytes for it. */
export function mutate(pieces: Pieces, mutation: Mutation, random: Random): Mutated {
  switch (mutation.kind) {
    case 'flip':
      return flip(pieces, mutation.offset, mutation.bit ?? random.below(8));
    case 'zero': {
      const { offset, length } = mutation;
      return overwrite(pieces, 'zero', offset, length, [{ kind: 'zeros', length }]);
    }
    case 'garbage': {
      const { offset, length } = mutation;
      const piece: Piece = { kind: 'random', seed: random.uint32(), at: 0, length };
      return overwrite(pieces, 'garbage', offset, length, [piece]);
    }
    case 'truncate':
      return truncate(pieces, mutation.size);
    case 'swap-pages':
      return swapPages(pieces, mutation.a, mutation.b, mutation.pageSize);
    case 'duplicate': {
      const { offset, length } = mutation;
      checkSpan(pieces, 'duplicate', offset, length);
      return insert(pieces, 'duplicate', offset + length, pieces.slice(offset, length));
    }
    case 'insert': {
      const { offset, bytes } = mutation;
      if (offset > pieces.size) throw outOfRange('insert', offset, 0, pieces.size);
      return insert(pieces, 'insert', offset, [bytesPiece(bytes)]);
    }
  }
}

function flip(pieces: Pieces, offset: number, bit: number): Mutated {
  checkSpan(pieces, 'flip', offset, 1);
  const byte = pieces.bytes(offset, 1, 1);
  const flipped = bytesPiece(Uint8Array.of(byte[0]! ^ (1 << bit)));
  return { ...overwrite(pieces, 'flip', offset, 1, [flipped]), bit };
}

function overwrite(
  pieces: Pieces,
  kind: MutationKind,
  offset: number,
  length: number,
  by: readonly Piece[],
): Mutated {
  checkSpan(pieces, kind, offset, length);
  const before = told(pieces, offset, length);
  pieces.replace(offset, length, by);
  return { kind, offset, length, before, after: told(pieces, offset, length) };
}

function truncate(pieces: Pieces, size: number): Mutated {
  if (size > pieces.size) {
    throw new DdiaError(
      'out-of-range',
      `truncate to ${size} bytes: the file has ${pieces.size} at that point`,
    );
  }
  const length = pieces.size - size;
  const before = told(pieces, size, length);
  pieces.replace(size, length, []);
  return { kind: 'truncate', offset: size, length, before, after: '' };
}

function swapPages(pieces: Pieces, a: number, b: number, pageSize: number): Mutated {
  const [low, high] = [Math.min(a, b) * pageSize, Math.max(a, b) * pageSize];
  checkSpan(pieces, 'swap-pages', low, pageSize);
  checkSpan(pieces, 'swap-pages', high, pageSize);
  const before = told(pieces, low, pageSize);
  const first = pieces.slice(low, pageSize);
  const second = pieces.slice(high, pageSize);
  pieces.replace(low, pageSize, second);
  pieces.replace(high, pageSize, first);
  const after = told(pieces, low, pageSize);
  return { kind: 'swap-pages', offset: low, length: pageSize, otherOffset: high, before, after };
}

function insert(
  pieces: Pieces,
  kind: MutationKind,
  offset: number,
  added: readonly Piece[],
): Mutated {
  const size = pieces.size;
  pieces.replace(offset, 0, added);
  const length = pieces.size - size;
  return { kind, offset, length, before: '', after: told(pieces, offset, length) };
}

function told(pieces: Pieces, offset: number, length: number): string {
  return toHex(pieces.bytes(offset, length, BYTES_TOLD));
}

function checkSpan(pieces: Pieces, kind: MutationKind, offset: number, length: number): void {
  if (length < 1 || offset + length > pieces.size) {
    throw outOfRange(kind, offset, length, pieces.size);
  }
}

function outOfRange(kind: MutationKind, offset: number, length: number, size: number): DdiaError {
  return new DdiaError(
    'out-of-range',
    `${kind} of ${length} bytes at ${offset}: the file has ${size} bytes at that point`,
  );
}
