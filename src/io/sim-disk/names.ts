import { posix } from 'node:path';
import { systemError } from '../system-error.ts';
import type { Machine } from './machine.ts';
import type { DirectoryNode, DiskNode, FileNode } from './nodes.ts';
import { partsOf, type Tree } from './tree.ts';

/** What a disk does with names: each change waits in its directory until that is synced. */
export class Names {
  readonly #machine: Machine;
  readonly #tree: Tree;

  constructor(machine: Machine, tree: Tree) {
    this.#machine = machine;
    this.#tree = tree;
  }

  create(path: string): FileNode {
    const { directory, name } = this.#tree.parent(path, 'open');
    return this.#machine.perform('create', path, {}, () => {
      const node = this.#tree.addFile();
      this.#link(directory, posix.dirname(path), name, node);
      return node;
    });
  }

  makeDirectory(path: string): void {
    const parts = partsOf(path);
    for (let depth = 1; depth <= parts.length; depth++) {
      const at = `/${parts.slice(0, depth).join('/')}`;
      const found = this.#tree.find(at, 'mkdir');
      if (found?.kind === 'directory') continue;
      if (found !== undefined) {
        throw systemError(depth === parts.length ? 'EEXIST' : 'ENOTDIR', 'mkdir', path);
      }
      const { directory, name } = this.#tree.parent(at, 'mkdir');
      this.#machine.perform('makeDirectory', at, {}, () =>
        this.#link(directory, posix.dirname(at), name, this.#tree.addDirectory()),
      );
    }
  }

  rename(from: string, to: string): void {
    const source = this.#tree.parent(from, 'rename');
    const target = this.#tree.parent(to, 'rename');
    const node = this.#tree.child(source.directory, source.name);
    if (node === undefined) throw systemError('ENOENT', 'rename', from);
    const replaced = this.#tree.child(target.directory, target.name);
    if (replaced === node) return;
    checkRename(node, replaced, from, to);
    this.#machine.perform('rename', from, { to }, () => {
      const child = node.id;
      const issue = (directory: DirectoryNode, path: string) => ({
        sequence: this.#machine.nextSequence,
        node: directory.id,
        path: posix.dirname(path),
      });
      const { name } = source;
      if (source.directory === target.directory) {
        const here = issue(source.directory, from);
        source.directory.issue({ kind: 'rename', name, to: target.name, child, ...here });
      } else {
        const there = issue(target.directory, to);
        target.directory.issue({ kind: 'link', name: target.name, child, ...there });
        const here = issue(source.directory, from);
        source.directory.issue({ kind: 'unlink', name, child, ...here });
      }
      this.#machine.nextSequence++;
      if (replaced !== undefined) this.#release(replaced);
    });
  }

  remove(path: string): void {
    const node = this.#tree.find(path, 'unlink');
    if (node === undefined) throw systemError('ENOENT', 'unlink', path);
    if (node.kind === 'directory') throw systemError('EISDIR', 'unlink', path);
    this.#machine.perform('remove', path, {}, () => this.#unlink(path, node));
  }

  removeDirectory(path: string): void {
    const node = this.#tree.directory(path, 'rmdir');
    if (node.live.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path);
    this.#machine.perform('removeDirectory', path, {}, () => this.#unlink(path, node));
  }

  syncDirectory(path: string): void {
    const node = this.#tree.directory(path, 'open');
    this.#machine.perform(
      'syncDirectory',
      path,
      {},
      () => node.persist(),
      () => node.lose(),
    );
    this.#tree.prune();
  }

  #link(directory: DirectoryNode, path: string, name: string, node: DiskNode): void {
    const sequence = this.#machine.nextSequence++;
    directory.issue({ kind: 'link', sequence, node: directory.id, path, name, child: node.id });
    if (node.kind === 'file') node.links++;
  }

  #unlink(path: string, node: DiskNode): void {
    const { directory, name } = this.#tree.parent(path, 'unlink');
    directory.issue({
      kind: 'unlink',
      sequence: this.#machine.nextSequence++,
      node: directory.id,
      path: posix.dirname(path),
      name,
      child: node.id,
    });
    this.#release(node);
  }

  /** One name fewer; the space of a file goes with its last name and its last handle. */
  #release(node: DiskNode): void {
    if (node.kind === 'directory') return;
    node.links--;
    if (node.links === 0 && node.handles === 0) this.#machine.usedBytes -= node.live.size;
  }
}

/** What rename(2) refuses, in Linux's order. */
function checkRename(
  node: DiskNode,
  replaced: DiskNode | undefined,
  from: string,
  to: string,
): void {
  if (isAncestor(from, to)) throw systemError('EINVAL', 'rename', to);
  if (replaced === undefined) return;
  if (isAncestor(to, from)) throw systemError('ENOTEMPTY', 'rename', to);
  if (node.kind === 'file' && replaced.kind === 'directory') {
    throw systemError('EISDIR', 'rename', to);
  }
  if (node.kind === 'directory' && replaced.kind === 'file') {
    throw systemError('ENOTDIR', 'rename', to);
  }
  if (replaced.kind === 'directory' && replaced.live.size > 0) {
    throw systemError('ENOTEMPTY', 'rename', to);
  }
}

function isAncestor(path: string, other: string): boolean {
  const [parts, others] = [partsOf(path), partsOf(other)];
  return others.length > parts.length && parts.every((part, at) => part === others[at]);
}
