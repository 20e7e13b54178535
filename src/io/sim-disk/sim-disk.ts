import type { Disk, FileStat, OpenMode } from '../disk.ts';
import { systemError } from '../system-error.ts';
import { SECTOR_BYTES } from './content.ts';
import type { Fault } from './faults.ts';
import { type CrashChoice, type DiskImage, powerLoss } from './image.ts';
import { Machine, type OperationHook } from './machine.ts';
import { Names } from './names.ts';
import type { FileNode } from './nodes.ts';
import { SimFile } from './sim-file.ts';
import { partsOf, Tree } from './tree.ts';

export interface SimDiskOptions {
  /** A directory that is there, and durable, from the start; `/` unless told. */
  readonly root?: string;
  /** Bytes that all files together may have; a write past it is short, the next one ENOSPC. */
  readonly capacityBytes?: number;
  /** Every write stops after so many bytes. */
  readonly writeBytesMax?: number;
  readonly faults?: readonly Fault[];
  /** Called before and after every I/O; what it throws is thrown to the caller of the I/O. */
  readonly onOperation?: OperationHook;
}

/**
 * A disk in memory that can crash, fill up, fail and lie, and does so the same way every time. What
 * is durable when is what disk.ts promises and nothing more.
 */
export class SimDisk implements Disk {
  readonly #machine: Machine;
  readonly #tree: Tree;
  readonly #names: Names;
  readonly #boot: number;
  #image: DiskImage | undefined;
  #imageVersion = -1;

  constructor(options: SimDiskOptions = {}, image?: DiskImage) {
    this.#tree = new Tree(image);
    this.#machine = new Machine(image?.nextSequence ?? 1);
    this.#names = new Names(this.#machine, this.#tree);
    this.#boot = image?.boot ?? 0;
    if (image === undefined) this.#makeRoot(options.root ?? '/');
    this.#machine.usedBytes = this.#tree.usedBytes();
    this.#machine.capacityBytes = options.capacityBytes;
    this.#machine.writeBytesMax = options.writeBytesMax ?? Number.POSITIVE_INFINITY;
    this.#machine.hook = options.onOperation;
    for (const fault of options.faults ?? []) this.inject(fault);
  }

  /**
   * A disk that goes on from an image. From `snapshot()`, it is what a new process finds after the
   * old one was killed: the cache is still there, and what was not synced can still be lost. From
   * `powerLoss()`, it is the disk of a machine that was started again.
   */
  static from(image: DiskImage, options: SimDiskOptions = {}): SimDisk {
    return new SimDisk(options, image);
  }

  /** The whole state, for nearly nothing: contents are shared until one side writes. */
  snapshot(): DiskImage {
    if (this.#image === undefined || this.#imageVersion !== this.#machine.version) {
      const { nextSequence } = this.#machine;
      this.#image = { ...this.#tree.images(), nextSequence, boot: this.#boot };
      this.#imageVersion = this.#machine.version;
    }
    return this.#image;
  }

  /** Cuts the power of this disk, and returns the one that the machine starts from again. */
  crash(choice: CrashChoice): SimDisk {
    this.powerOff();
    return SimDisk.from(powerLoss(this.snapshot(), choice));
  }

  /** Every later call throws PowerOff. From a `before` hook, the I/O at hand does not happen. */
  powerOff(): void {
    this.#machine.powerOff();
  }

  /** How often the machine was started before. */
  get boot(): number {
    return this.#boot;
  }

  /** I/Os since this disk was made: creating, writing, truncating, syncing, renaming, removing. */
  get operations(): number {
    return this.#machine.operations;
  }

  /** Bytes of all files that have a name or are open. */
  get usedBytes(): number {
    return this.#machine.usedBytes;
  }

  set capacityBytes(bytes: number | undefined) {
    this.#machine.capacityBytes = bytes;
  }

  set onOperation(hook: OperationHook | undefined) {
    this.#machine.hook = hook;
  }

  inject(fault: Fault): void {
    this.#machine.faults.add(fault);
  }

  clearFaults(): void {
    this.#machine.faults.clear();
  }

  /** Turns one bit (0 to 7, from the lowest) of a durable byte, and of what reads see of it. */
  flipBit(path: string, offset: number, bit: number): void {
    const node = this.#file(path, 'flipBit');
    if (offset >= node.durable.size) {
      throw new RangeError(`only ${node.durable.size} bytes of ${path} are durable: ${offset}`);
    }
    for (const content of [node.durable, node.live]) {
      if (offset >= content.size) continue;
      const byte = content.slice(offset, 1);
      byte[0]! ^= 1 << bit;
      content.write(byte, 0, 1, offset);
    }
    this.#touch(node);
  }

  /** Reads that touch this byte's sector fail with EIO until it is written whole. */
  makeUnreadable(path: string, offset: number): void {
    const node = this.#file(path, 'makeUnreadable');
    node.unreadable.add(Math.floor(offset / SECTOR_BYTES));
    this.#touch(node);
  }

  /** From here on reads show what the medium has, where no write waits to be synced. */
  dropCaches(): void {
    for (const node of this.#tree.files()) node.dropCache();
    this.#machine.usedBytes = this.#tree.usedBytes();
    this.#machine.version++;
  }

  open(path: string, mode: OpenMode): SimFile {
    this.#machine.assertOn();
    const found = this.#tree.find(path, 'open');
    if (mode !== 'create') {
      if (found === undefined) throw systemError('ENOENT', 'open', path);
      if (found.kind === 'directory') throw systemError('EISDIR', 'open', path);
      return new SimFile(this.#machine, found, path, mode);
    }
    if (found !== undefined) throw systemError('EEXIST', 'open', path);
    return new SimFile(this.#machine, this.#names.create(path), path, mode);
  }

  list(directory: string): string[] {
    this.#machine.assertOn();
    return [...this.#tree.directory(directory, 'scandir').live.keys()].sort();
  }

  stat(path: string): FileStat | undefined {
    this.#machine.assertOn();
    try {
      const node = this.#tree.find(path, 'stat');
      return node && { kind: node.kind, size: node.kind === 'file' ? node.live.size : 0 };
    } catch {
      return undefined;
    }
  }

  makeDirectory(path: string): void {
    this.#machine.assertOn();
    this.#names.makeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.#machine.assertOn();
    this.#names.rename(from, to);
  }

  remove(path: string): void {
    this.#machine.assertOn();
    this.#names.remove(path);
  }

  removeDirectory(path: string): void {
    this.#machine.assertOn();
    this.#names.removeDirectory(path);
  }

  syncDirectory(path: string): void {
    this.#machine.assertOn();
    this.#names.syncDirectory(path);
  }

  #makeRoot(root: string): void {
    this.makeDirectory(root);
    const parts = partsOf(root);
    for (let depth = 0; depth < parts.length; depth++) {
      this.syncDirectory(`/${parts.slice(0, depth).join('/')}`);
    }
    this.#machine.operations = 0;
  }

  #file(path: string, syscall: string): FileNode {
    const node = this.#tree.find(path, syscall);
    if (node?.kind !== 'file') throw systemError('ENOENT', syscall, path);
    return node;
  }

  #touch(node: FileNode): void {
    node.changed();
    this.#machine.version++;
  }
}
