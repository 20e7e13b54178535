import type { DiskFile, OpenMode } from '../disk.ts';
import { checkSpan, systemError } from '../system-error.ts';
import { SECTOR_BYTES } from './content.ts';
import type { FaultEffect } from './faults.ts';
import type { Machine } from './machine.ts';
import type { FileNode } from './nodes.ts';
import { applyToFile, type FileOperation } from './operations.ts';

/** An open file of a simulated disk. It stays readable and writable after its name is gone. */
export class SimFile implements DiskFile {
  readonly #machine: Machine;
  readonly #node: FileNode;
  readonly #mode: OpenMode;
  #open = true;

  constructor(
    machine: Machine,
    node: FileNode,
    readonly path: string,
    mode: OpenMode,
  ) {
    this.#machine = machine;
    this.#node = node;
    this.#mode = mode;
    node.handles++;
  }

  read(target: Uint8Array, start: number, length: number, position: number): number {
    this.#assertOpen('read');
    checkSpan(target, start, length);
    const effect = this.#machine.faults.next('read', this.path);
    if (effect?.kind === 'error') throw systemError(effect.code, 'read', this.path);
    const { live, unreadable } = this.#node;
    const end = Math.min(position + length, live.size);
    for (const sector of unreadable) {
      const from = sector * SECTOR_BYTES;
      if (from < end && from + SECTOR_BYTES > position) {
        throw systemError('EIO', 'read', this.path);
      }
    }
    return live.read(target, start, length, position);
  }

  write(bytes: Uint8Array, start: number, length: number, position: number): number {
    this.#assertOpen('write');
    if (this.#mode === 'read') throw systemError('EBADF', 'write', this.path);
    checkSpan(bytes, start, length);
    if (length === 0) return 0;
    return this.#machine.perform('write', this.path, { position, length }, (effect) => {
      const { live } = this.#node;
      let count = Math.min(length, this.#machine.writeBytesMax);
      if (effect?.kind === 'short') count = Math.min(count, effect.bytes);
      const growth = position + count - live.size;
      count -= Math.max(0, growth) - Math.max(0, this.#machine.allow(growth, this.path));
      if (count <= 0) return 0;
      this.#machine.usedBytes += Math.max(0, position + count - live.size);
      live.write(bytes, start, count, position);
      this.#node.pending.push(this.#writeOperation(position, count, effect));
      this.#heal(position, position + count);
      this.#node.changed();
      return count;
    });
  }

  truncate(size: number): void {
    this.#assertOpen('ftruncate');
    if (this.#mode === 'read' || size < 0) throw systemError('EINVAL', 'ftruncate', this.path);
    this.#machine.perform('truncate', this.path, { position: size }, () => {
      const growth = size - this.#node.live.size;
      if (growth > 0 && this.#machine.allow(growth, this.path) < growth) {
        throw systemError('ENOSPC', 'ftruncate', this.path);
      }
      this.#machine.usedBytes += growth;
      const operation: FileOperation = { kind: 'truncate', size, ...this.#issue() };
      applyToFile(this.#node.live, operation);
      this.#node.pending.push(operation);
      this.#node.changed();
    });
  }

  sync(): void {
    this.#sync(false);
  }

  dataSync(): void {
    this.#sync(true);
  }

  size(): number {
    this.#assertOpen('fstat');
    return this.#node.live.size;
  }

  close(): void {
    this.#assertOpen('close');
    this.#open = false;
    this.#node.handles--;
    if (this.#node.links === 0 && this.#node.handles === 0) {
      this.#machine.usedBytes -= this.#node.live.size;
    }
  }

  /** The length is persisted either way, since the data could not be read back without it. */
  #sync(dataOnly: boolean): void {
    this.#assertOpen(dataOnly ? 'fdatasync' : 'fsync');
    this.#machine.perform(
      'sync',
      this.path,
      dataOnly ? { dataOnly } : {},
      () => this.#node.persist(),
      () => this.#node.lose(),
    );
  }

  #assertOpen(syscall: string): void {
    this.#machine.assertOn();
    if (!this.#open) throw systemError('EBADF', syscall, this.path);
  }

  #issue(): { sequence: number; node: number; path: string } {
    return { sequence: this.#machine.nextSequence++, node: this.#node.id, path: this.path };
  }

  #writeOperation(
    position: number,
    length: number,
    effect: FaultEffect | undefined,
  ): FileOperation {
    const start = position - (position % SECTOR_BYTES);
    const end = Math.ceil((position + length) / SECTOR_BYTES) * SECTOR_BYTES;
    let misfortune: 'lost' | { misdirectedTo: number } | undefined;
    if (effect?.kind === 'lost') misfortune = 'lost';
    if (effect?.kind === 'misdirected') {
      misfortune = { misdirectedTo: effect.position };
    }
    const sectors = this.#node.live.slice(start, end - start);
    return { kind: 'write', position, length, start, sectors, misfortune, ...this.#issue() };
  }

  /** A drive replaces a bad sector when it is written whole. */
  #heal(start: number, end: number): void {
    for (const sector of this.#node.unreadable) {
      const from = sector * SECTOR_BYTES;
      if (from >= start && from + SECTOR_BYTES <= end) this.#node.unreadable.delete(sector);
    }
  }
}
