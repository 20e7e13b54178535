/**
 * A B+tree of ours that another process writes to while a command reads it. What it looks at has to
 * stay: of v2 the pages of one transaction, for which a reader's name is put up (engines/btree/
 * pins.ts); of v1, whose pages are changed in their place, a copy of tree and log as they were at
 * one moment, in memory. Nothing is put up, or copied, where nobody writes.
 */
import { dirname, join } from 'node:path';
import type { ByteSource, Family, FileEntry, FileSet, Opened } from '../formats/format.ts';
import { lockOwner } from '../io/lock-file.ts';
import { RealDisk } from '../io/real-disk.ts';
import { realPlace } from '../io/same-place.ts';
import { DdiaError } from '../shared/errors.ts';

/** A larger v1 tree is read where it lies. */
const COPY_BYTES_MAX = 64 * 1024 * 1024;
const COPY_TRIES = 500;

export async function steady<T extends Opened & { readonly family: Family }>(input: T): Promise<T> {
  const { family, dialect, set, files } = input;
  const [file] = files;
  if (family.id !== 'btree' || !dialect.lockFile || set.path === '-' || !file) return input;
  const disk = new RealDisk();
  const inside = set.isDirectory ? set.path : dirname(set.path);
  const directory = dirname(realPlace(join(inside, file.name)));
  if (lockOwner(disk, join(directory, dialect.lockFile)) === undefined) return input;
  if (dialect.beside) {
    const copied = copyOf(set, [file.name, ...dialect.beside]);
    return copied ? { ...input, set: copied } : input;
  }
  try {
    const { keepCurrent } = await import('../engines/btree/reader.ts');
    // Whatever ends the command.
    process.once('exit', keepCurrent(disk, directory));
  } catch {
    // A directory that we may not write to, a store that cannot be opened: it is read as it is.
  }
  return input;
}

/** Undefined where there is too much of it, or it never stands still. */
function copyOf(set: FileSet, names: readonly string[]): FileSet | undefined {
  let last: Copies | undefined;
  for (let i = 0; i < COPY_TRIES; i++) {
    const next = readAll(set, names);
    if (next === undefined) return undefined;
    if (last !== undefined && names.every((name) => same(last!.get(name), next.get(name)))) {
      return withCopies(set, next);
    }
    last = next;
  }
  return undefined;
}

/** By name; files that are not there are left out. */
type Copies = ReadonlyMap<string, Uint8Array>;

function readAll(set: FileSet, names: readonly string[]): Copies | undefined {
  const all = new Map<string, Uint8Array>();
  let left = COPY_BYTES_MAX;
  for (const name of names) {
    const source = openIfThere(set, name);
    if (source === undefined) continue;
    try {
      const { size = 0 } = source;
      left -= size;
      if (left < 0) return undefined;
      const bytes = new Uint8Array(size);
      const got = source.read(bytes, 0, size, 0);
      if (typeof got !== 'number') return undefined;
      all.set(name, bytes.subarray(0, got));
    } finally {
      source.close?.();
    }
  }
  return all;
}

function openIfThere(set: FileSet, name: string): ByteSource | undefined {
  try {
    return set.open(name);
  } catch (error) {
    if (error instanceof DdiaError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}

function withCopies(set: FileSet, copies: Copies): FileSet {
  const now = (files: readonly FileEntry[]) =>
    files.map((one) => ({ ...one, size: copies.get(one.name)?.length ?? one.size }));
  // The log may have come since the directory was looked at.
  const others = set.siblings.filter(({ name }) => !copies.has(name));
  const copied = [...copies].map(([name, { length }]) => ({ name, size: length }));
  return {
    path: set.path,
    isDirectory: set.isDirectory,
    files: now(set.files),
    siblings: [...others, ...copied],
    open(name) {
      const bytes = copies.get(name);
      if (bytes === undefined) return set.open(name);
      const read = (target: Uint8Array, start: number, length: number, position: number) => {
        const part = bytes.subarray(position, position + length);
        target.set(part, start);
        return part.length;
      };
      return { name, size: bytes.length, read };
    },
    ...(set.below && { below: (name: string) => set.below?.(name) }),
  };
}
