import { Content } from './content.ts';
import {
  applyToDirectory,
  applyToFile,
  type EntryOperation,
  type FileOperation,
} from './operations.ts';

/**
 * A file or directory as it was at one moment, never to change. `live` is what calls see; `durable`
 * is what has been synced; of `pending` the first `pendingCount` had been issued.
 */
export interface FileImage {
  readonly kind: 'file';
  readonly id: number;
  readonly live: Content;
  readonly durable: Content;
  readonly pending: readonly FileOperation[];
  readonly pendingCount: number;
  /** Numbers of durable sectors that cannot be read. */
  readonly unreadable: ReadonlySet<number>;
}

export interface DirectoryImage {
  readonly kind: 'directory';
  readonly id: number;
  readonly live: ReadonlyMap<string, number>;
  readonly durable: ReadonlyMap<string, number>;
  readonly pending: readonly EntryOperation[];
  readonly pendingCount: number;
}

export type NodeImage = FileImage | DirectoryImage;

/** A file of a running disk. Whoever changes it calls `changed`, so that its image is made once. */
export class FileNode {
  readonly kind = 'file';
  live = new Content();
  durable = new Content();
  pending: FileOperation[] = [];
  readonly unreadable = new Set<number>();
  /** Names and open handles that it has: a file without either gives its space back. */
  links = 0;
  handles = 0;
  #image: FileImage | undefined;

  constructor(readonly id: number) {}

  static from(image: FileImage): FileNode {
    const node = new FileNode(image.id);
    node.live = image.live.fork();
    node.durable = image.durable.fork();
    node.pending = image.pending.slice(0, image.pendingCount);
    for (const sector of image.unreadable) node.unreadable.add(sector);
    node.#image = image;
    return node;
  }

  changed(): void {
    this.#image = undefined;
  }

  /** What a sync does. */
  persist(): void {
    if (this.pending.length === 0) return;
    for (const operation of this.pending) applyToFile(this.durable, operation);
    this.#forget();
  }

  /** What a failed sync does: the cache calls its pages clean and still shows them. */
  lose(): void {
    this.#forget();
  }

  #forget(): void {
    // A new list: images of earlier moments hold the old one.
    this.pending = [];
    this.changed();
  }

  /** Reads come from the medium from here on, but for what has not been written back. */
  dropCache(): void {
    this.live = this.durable.fork();
    for (const operation of this.pending) {
      const intended =
        operation.kind === 'write' ? { ...operation, misfortune: undefined } : operation;
      applyToFile(this.live, intended);
    }
    this.changed();
  }

  image(): FileImage {
    this.#image ??= {
      kind: 'file',
      id: this.id,
      live: this.live.fork(),
      durable: this.durable.fork(),
      pending: this.pending,
      pendingCount: this.pending.length,
      unreadable: new Set(this.unreadable),
    };
    return this.#image;
  }
}

/** A directory of a running disk. */
export class DirectoryNode {
  readonly kind = 'directory';
  readonly live: Map<string, number>;
  readonly #durable: Map<string, number>;
  #pending: EntryOperation[];
  #image: DirectoryImage | undefined;

  constructor(
    readonly id: number,
    image?: DirectoryImage,
  ) {
    this.live = new Map(image?.live);
    this.#durable = new Map(image?.durable);
    this.#pending = image?.pending.slice(0, image.pendingCount) ?? [];
    this.#image = image;
  }

  issue(operation: EntryOperation): void {
    applyToDirectory(this.live, operation);
    this.#pending.push(operation);
    this.#image = undefined;
  }

  persist(): void {
    if (this.#pending.length === 0) return;
    for (const operation of this.#pending) applyToDirectory(this.#durable, operation);
    this.lose();
  }

  lose(): void {
    this.#pending = [];
    this.#image = undefined;
  }

  /** Every node that has a name here, or may have one after a crash. */
  *children(): Generator<number> {
    yield* this.live.values();
    yield* this.#durable.values();
    for (const operation of this.#pending) yield operation.child;
  }

  image(): DirectoryImage {
    this.#image ??= {
      kind: 'directory',
      id: this.id,
      live: new Map(this.live),
      durable: new Map(this.#durable),
      pending: this.#pending,
      pendingCount: this.#pending.length,
    };
    return this.#image;
  }
}

export type DiskNode = FileNode | DirectoryNode;
