/** Mutations that chance chooses, in the sizes in which they happen. */
import { DdiaError } from '../../shared/errors.ts';
import type { Random } from '../../shared/random.ts';
import type { Mutation, MutationKind } from './mutation.ts';

const PAGE_BYTES_DEFAULT = 512;
/** A sector, a page, a few of them. */
const SPAN_BYTES_MAX = 4096;
const INSERTED_BYTES_MAX = 16;

/** One of `kinds` for a file that has `size` bytes by now. */
export function randomMutation(
  random: Random,
  kinds: readonly MutationKind[],
  size: number,
  pageSize = PAGE_BYTES_DEFAULT,
): Mutation {
  const possible = kinds.filter((kind) => size >= bytesNeeded(kind, pageSize));
  if (possible.length === 0) {
    throw new DdiaError(
      'out-of-range',
      `none of ${kinds.join(', ')} can be done to ${size} bytes`,
      kinds.includes('swap-pages') ? `swap-pages needs two pages of ${pageSize} bytes` : undefined,
    );
  }
  const kind = random.pick(possible);
  switch (kind) {
    case 'flip':
      return { kind, offset: random.below(size), bit: random.below(8) };
    case 'truncate':
      return { kind, size: size - 1 - random.below(Math.min(size, SPAN_BYTES_MAX)) };
    case 'swap-pages': {
      const pages = Math.floor(size / pageSize);
      const a = random.below(pages);
      return { kind, a, b: (a + 1 + random.below(pages - 1)) % pages, pageSize };
    }
    case 'insert': {
      const bytes = new Uint8Array(1 + random.below(INSERTED_BYTES_MAX));
      for (let i = 0; i < bytes.length; i++) bytes[i] = random.uint32();
      return { kind, offset: random.below(size + 1), bytes };
    }
    default: {
      const offset = random.below(size);
      return { kind, offset, length: 1 + random.below(Math.min(size - offset, SPAN_BYTES_MAX)) };
    }
  }
}

function bytesNeeded(kind: MutationKind, pageSize: number): number {
  if (kind === 'insert') return 0;
  return kind === 'swap-pages' ? 2 * pageSize : 1;
}
