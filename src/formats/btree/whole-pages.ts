/** A file that was cut off within a page, as if zeros filled that page up. */
import { openedBy } from '../file-set.ts';
import type { ByteSource } from '../format.ts';
import type { BtreeOpened } from './model.ts';

export function withWholePages(input: BtreeOpened, pageSize: number): BtreeOpened {
  const { set } = input;
  const names = new Set(input.files.map(({ name }) => name));
  const open = (name: string): ByteSource => {
    const source = set.open(name);
    return names.has(name) ? filledUp(source, pageSize) : source;
  };
  return { ...input, set: openedBy(set, open) };
}

function filledUp(source: ByteSource, pageSize: number): ByteSource {
  const { name, size = 0 } = source;
  return {
    name,
    size: Math.ceil(size / pageSize) * pageSize,
    read(target, start, length, position) {
      if (position < size) return source.read(target, start, length, position);
      target.fill(0, start, start + length);
      return length;
    },
    close: () => source.close?.(),
  };
}
