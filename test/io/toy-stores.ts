import { createHash } from 'node:crypto';
import { type Disk, type DiskFile, readFully, writeFully } from '../../src/io/disk.ts';
import { bytes, readText } from './files.ts';

/** What a toy can be told to do wrong. */
export type Bug =
  | 'rename without sync'
  | 'no directory sync'
  | 'in place'
  | 'recovery rewrites in place'
  | 'sync before the write'
  | 'sync errors ignored'
  | 'no checksum'
  | 'torn tail kept'
  | 'recovered but not synced'
  | 'tail moved aside by each recovery';

/** One value in one file, replaced whole. */
export class Register {
  readonly #disk: Disk;
  readonly #bug: Bug | undefined;

  constructor(disk: Disk, bug?: Bug) {
    this.#disk = disk;
    this.#bug = bug;
  }

  set(value: string): void {
    const exists = this.#disk.stat('/d/value') !== undefined;
    if (this.#bug === 'in place' && exists) {
      const file = this.#disk.open('/d/value', 'write');
      file.truncate(0);
      fill(file, value, true);
      return;
    }
    const file = this.#disk.open('/d/new', 'create');
    fill(file, value, this.#bug !== 'rename without sync');
    this.#disk.rename('/d/new', '/d/value');
    if (this.#bug !== 'no directory sync') this.#disk.syncDirectory('/d');
  }

  /** Removes what a crash left, and reads. */
  recover(): string | undefined {
    if (this.#disk.stat('/d/new') !== undefined) {
      this.#disk.remove('/d/new');
      this.#disk.syncDirectory('/d');
    }
    const value = this.#disk.stat('/d/value') && readText(this.#disk, '/d/value');
    if (this.#bug === 'recovery rewrites in place' && value !== undefined) {
      const file = this.#disk.open('/d/value', 'write');
      file.truncate(0);
      fill(file, value, true);
    }
    return value;
  }
}

function fill(file: DiskFile, text: string, sync: boolean): void {
  writeFully(file, bytes(text), 0, text.length, 0);
  if (sync) file.sync();
  file.close();
}

/** A log of texts, each behind its length and checksum. */
export class ToyLog {
  readonly #bug: Bug | undefined;
  readonly #file: DiskFile;
  #end = 0;
  readonly records: string[] = [];

  constructor(disk: Disk, bug?: Bug) {
    this.#bug = bug;
    const exists = disk.stat('/d/log') !== undefined;
    this.#file = disk.open('/d/log', exists ? 'write' : 'create');
    disk.syncDirectory('/d');
    if (exists) this.#recover(disk);
  }

  append(text: string): void {
    const record = Buffer.alloc(8 + text.length, text, 'latin1');
    record.copyWithin(8, 0, text.length);
    record.writeUInt32LE(text.length, 0);
    record.writeUInt32LE(checksum(text), 4);
    if (this.#bug === 'sync before the write') this.#file.dataSync();
    writeFully(this.#file, record, 0, record.length, this.#end);
    this.#end += record.length;
    if (this.#bug === 'sync before the write') return;
    try {
      this.#file.dataSync();
    } catch (error) {
      if (this.#bug !== 'sync errors ignored') throw error;
    }
  }

  close(): void {
    this.#file.close();
  }

  #recover(disk: Disk): void {
    const content = Buffer.alloc(this.#file.size());
    readFully(this.#file, content, 0, content.length, 0);
    while (this.#end + 8 <= content.length) {
      const length = content.readUInt32LE(this.#end);
      const text = content.toString('latin1', this.#end + 8, this.#end + 8 + length);
      if (length === 0 || text.length < length) break;
      const sum = content.readUInt32LE(this.#end + 4);
      if (this.#bug !== 'no checksum' && sum !== checksum(text)) break;
      this.records.push(text);
      this.#end += 8 + length;
    }
    if (this.#bug === 'tail moved aside by each recovery') {
      fill(disk.open(`/d/tail-${disk.list('/d').length}`, 'create'), 'tail', true);
    }
    if (this.#bug === 'torn tail kept') this.#end = content.length;
    else if (this.#end < content.length) this.#file.truncate(this.#end);
    if (this.#bug !== 'recovered but not synced') this.#file.sync();
  }
}

function checksum(text: string): number {
  return createHash('sha1').update(text, 'latin1').digest().readUInt32LE(0);
}
