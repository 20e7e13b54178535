import { posix } from 'node:path';
import { systemError } from '../system-error.ts';
import type { DiskImage } from './image.ts';
import { DirectoryNode, type DiskNode, FileNode, type NodeImage } from './nodes.ts';

/** The names and nodes of a running disk. Paths are POSIX, and relative ones start at the root. */
export class Tree {
  readonly #nodes = new Map<number, DiskNode>();
  readonly #root: DirectoryNode;
  #nextNode: number;
  /** Nodes at which it pays to look for those that have no name any more. */
  #pruneAt = 256;

  constructor(image?: DiskImage) {
    this.#nextNode = image?.nextNode ?? 1;
    for (const node of image?.nodes.values() ?? []) {
      const running = node.kind === 'file' ? FileNode.from(node) : new DirectoryNode(node.id, node);
      this.#nodes.set(node.id, running);
    }
    const root = image === undefined ? this.addDirectory() : this.#nodes.get(image.root);
    if (root?.kind !== 'directory') throw new TypeError('the image has no root directory');
    this.#root = root;
    for (const file of this.#linkedFiles()) file.links++;
  }

  addFile(): FileNode {
    const node = new FileNode(this.#nextNode++);
    this.#nodes.set(node.id, node);
    return node;
  }

  addDirectory(): DirectoryNode {
    const node = new DirectoryNode(this.#nextNode++);
    this.#nodes.set(node.id, node);
    return node;
  }

  /** Bytes of all files that have a name or are open. */
  usedBytes(): number {
    let bytes = 0;
    for (const file of this.files()) {
      if (file.links > 0 || file.handles > 0) bytes += file.live.size;
    }
    return bytes;
  }

  /** Undefined if there is no such name in its directory; throws if there is no such directory. */
  find(path: string, syscall: string): DiskNode | undefined {
    let node: DiskNode = this.#root;
    const parts = partsOf(path);
    for (const [depth, name] of parts.entries()) {
      if (node.kind === 'file') throw systemError('ENOTDIR', syscall, path);
      const child = this.child(node, name);
      if (child === undefined) {
        if (depth === parts.length - 1) return undefined;
        throw systemError('ENOENT', syscall, path);
      }
      node = child;
    }
    return node;
  }

  child(directory: DirectoryNode, name: string): DiskNode | undefined {
    const id = directory.live.get(name);
    return id === undefined ? undefined : this.#nodes.get(id);
  }

  directory(path: string, syscall: string): DirectoryNode {
    const node = this.find(path, syscall);
    if (node === undefined) throw systemError('ENOENT', syscall, path);
    if (node.kind === 'file') throw systemError('ENOTDIR', syscall, path);
    return node;
  }

  /** The directory that has, or would have, the last name of a path. */
  parent(path: string, syscall: string): { readonly directory: DirectoryNode; name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw systemError('EBUSY', syscall, path);
    return { directory: this.directory(`/${parts.join('/')}`, syscall), name };
  }

  /** Images of whatever has a name or may have one after a crash. */
  images(): Pick<DiskImage, 'root' | 'nodes' | 'nextNode'> {
    const nodes = new Map<number, NodeImage>();
    for (const node of this.#reachable()) nodes.set(node.id, node.image());
    return { root: this.#root.id, nodes, nextNode: this.#nextNode };
  }

  /** Forgets nodes that can have no name again and are not open. Cheap to call often. */
  prune(): void {
    if (this.#nodes.size < this.#pruneAt) return;
    const reachable = this.#reachable();
    for (const node of this.#nodes.values()) {
      const open = node.kind === 'file' && node.handles > 0;
      if (!open && !reachable.has(node)) this.#nodes.delete(node.id);
    }
    this.#pruneAt = 256 + 2 * this.#nodes.size;
  }

  files(): FileNode[] {
    return [...this.#nodes.values()].filter((node) => node.kind === 'file');
  }

  #reachable(): Set<DiskNode> {
    const found = new Set<DiskNode>([this.#root]);
    // The set grows while it is walked: every node is visited once.
    for (const node of found) {
      if (node.kind === 'file') continue;
      for (const id of node.children()) {
        const child = this.#nodes.get(id);
        if (child !== undefined) found.add(child);
      }
    }
    return found;
  }

  *#linkedFiles(): Generator<FileNode> {
    for (const node of this.#reachable()) {
      if (node.kind === 'file') continue;
      for (const id of node.live.values()) {
        const child = this.#nodes.get(id);
        if (child?.kind === 'file') yield child;
      }
    }
  }
}

export function partsOf(path: string): string[] {
  return posix.resolve('/', path).split('/').slice(1).filter(Boolean);
}
