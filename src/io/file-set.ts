/** What a PATH on the command line names: a file, a directory, or `-`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ByteSource, FileEntry, FileSet } from '../formats/format.ts';
import { DdiaError, fromSystemError } from '../shared/errors.ts';
import { FileSource, StreamSource } from './file-source.ts';

export function openFileSet(given: string): FileSet {
  if (given === '-') return openStdin();
  const stat = statOf(given);
  if (stat.isDirectory()) return new DirectorySet(given, given, undefined);
  if (!stat.isFile()) {
    throw new DdiaError(
      'not-a-file',
      `neither a regular file nor a directory: ${given}`,
      'a pipe can be given as standard input: -',
    );
  }
  return new DirectorySet(given, path.dirname(given), path.basename(given));
}

function statOf(given: string): fs.Stats {
  try {
    return fs.statSync(given);
  } catch (error) {
    throw fromSystemError(error, given);
  }
}

/** The regular files of a directory; with `only`, that one, and the others as its siblings. */
class DirectorySet implements FileSet {
  readonly isDirectory: boolean;
  readonly files: readonly FileEntry[];
  #siblings: readonly FileEntry[] | undefined;

  constructor(
    readonly path: string,
    readonly directory: string,
    readonly only: string | undefined,
  ) {
    this.isDirectory = only === undefined;
    if (only === undefined) {
      this.#siblings = listFiles(directory);
      this.files = this.#siblings;
    } else this.files = [{ name: only, size: statOf(path).size }];
  }

  get siblings(): readonly FileEntry[] {
    if (!this.#siblings) {
      // A file can be readable in a directory that is not: then it has no known siblings.
      try {
        this.#siblings = listFiles(this.directory);
      } catch {
        this.#siblings = this.files;
      }
    }
    return this.#siblings;
  }

  open(name: string): ByteSource {
    return new FileSource(path.join(this.directory, name), name);
  }

  below(name: string): FileSet | undefined {
    const inner = path.join(this.directory, name);
    const stat = fs.statSync(inner, { throwIfNoEntry: false });
    return stat?.isDirectory() ? new DirectorySet(inner, inner, undefined) : undefined;
  }
}

function listFiles(directory: string): FileEntry[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    throw fromSystemError(error, directory);
  }
  const files: FileEntry[] = [];
  for (const entry of entries) {
    if (!entry.isFile() && !entry.isSymbolicLink()) continue;
    const stat = fs.statSync(path.join(directory, entry.name), { throwIfNoEntry: false });
    if (stat?.isFile()) files.push({ name: entry.name, size: stat.size, mode: stat.mode });
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function openStdin(): FileSet {
  const stat = fs.fstatSync(0);
  // A file redirected in can be read at any position; a pipe once and forward.
  const source = stat.isFile() ? new FileSource('-', '-', 0) : new StreamSource('-', 0);
  const files = [{ name: '-', size: source.size }];
  return {
    path: '-',
    isDirectory: false,
    files,
    siblings: files,
    open: () => source,
  };
}
