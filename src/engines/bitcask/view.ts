/**
 * A store as one manifest of it names it, for whoever has no lock: read as a whole, and followed as
 * long as that manifest is the last one.
 */
import { randomBytes } from 'node:crypto';
import { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import type { BitcaskVisitor } from '../../formats/bitcask/model.ts';
import type { Disk } from '../../io/disk.ts';
import { Catalog, readManifest } from './catalog.ts';
import { corrupt } from './corrupt.ts';
import type { DataFile } from './data-file.ts';
import { inThisThread } from './hint-reader.ts';
import { checkFile, loadFiles, settle } from './load.ts';
import { applyRecord } from './pending.ts';
import { wholePart } from './recover.ts';
import { scanDataFile } from './scan-data.ts';

/** A writer that merges while we read makes us begin again, this often at most. */
const TRIES = 100;

export class View {
  readonly keys = new KeyDirectory(randomBytes(4).readUInt32LE());
  readonly notes: string[] = [];

  private constructor(readonly catalog: Catalog) {}

  /** Throws `not-found`, or `corrupt` where something that was synced cannot be read. */
  static async read(disk: Disk, directory: string): Promise<View> {
    for (let tries = 1; ; tries++) {
      const view = new View(Catalog.read(disk, directory));
      try {
        await view.#load(disk);
        return view;
      } catch (error) {
        view.close();
        // What a merge has removed meanwhile looks like damage, and is not.
        if (tries === TRIES || !view.isBehind(disk)) throw error;
      }
    }
  }

  /** Whether there is a manifest of a later time. */
  isBehind(disk: Disk): boolean {
    const { directory, manifest } = this.catalog;
    const { generation, storeId } = readManifest(disk, directory);
    return generation !== manifest.generation || storeId !== manifest.storeId;
  }

  close(): void {
    this.catalog.closeFiles();
  }

  async #load(disk: Disk): Promise<void> {
    const { files, manifest } = this.catalog;
    // Open first, read then: what is open cannot be removed or replaced under us.
    for (const file of files.values()) file.hold();
    this.catalog.refuseOlderManifest();
    const loading = { open: !manifest.closed, reader: inThisThread(disk), notes: this.notes };
    await loadFiles([...files.values()], this.keys, loading);
    settle(this.keys, files);
    await this.follow();
  }

  /** Takes in what was written behind the part that is known; a write that is under way ends it. */
  async follow(): Promise<void> {
    const { files, manifest } = this.catalog;
    if (manifest.closed) return;
    for (const file of files.values()) if (!file.sealed) await this.#followFile(file);
  }

  async #followFile(file: DataFile): Promise<void> {
    const size = checkFile(file, true);
    if (size === file.size) return;
    // Numbers are left out after a crash: the next one is at least what the manifest says.
    const seqDue = Math.max(this.catalog.manifest.nextSeq, file.seqLast + 1);
    const whole = await wholePart(file, size, seqDue, file.size);
    const { keys } = this;
    const { files } = this.catalog;
    const visitor: BitcaskVisitor = {
      record({ bytes, keyStart, keyEnd, offset, length, seq, expires, deleted }) {
        applyRecord(
          keys,
          files,
          file,
          bytes,
          keyStart,
          keyEnd,
          offset,
          length,
          seq,
          expires,
          deleted,
        );
      },
      damage(damage) {
        throw corrupt(file, damage.offset, `${damage.code}: ${damage.message}`);
      },
    };
    await scanDataFile(file, whole.end, visitor, { from: file.size });
    if (whole.records === 0) return;
    file.grow(whole.end - file.size, whole.records, whole.seqFirst, whole.seqLast);
  }
}
