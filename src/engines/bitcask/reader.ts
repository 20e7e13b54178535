/**
 * A store for reading only, in any process, while another writes to it: no lock. It shows the store
 * as it was when it was opened or last refreshed. Files that a merge removes meanwhile are kept by
 * their open handles.
 */
import { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import { DATA_NAME } from '../../formats/bitcask/v2/layout.ts';
import type { Disk } from '../../io/disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { Catalog } from './catalog.ts';
import type { DataFile } from './data-file.ts';
import { checkFile, corrupt, loadFiles, settle } from './load.ts';
import { CACHE_BYTES_DEFAULT } from './options.ts';
import { PageCache } from './page-cache.ts';
import { forget } from './pending.ts';
import { RecordReader } from './record-reader.ts';
import { wholePart } from './recover.ts';
import { scanDataFile } from './scan-data.ts';
import { type ScanOptions, Snapshot } from './snapshot.ts';
import { type StoreStat, statOf } from './stat.ts';

/** A writer that merges while we open makes us begin again, this often at most. */
const OPEN_TRIES = 10;

export class BitcaskReader {
  #keys = new KeyDirectory();
  #catalog: Catalog;
  readonly #cache = new PageCache(CACHE_BYTES_DEFAULT);
  #records: RecordReader;
  readonly notes: string[] = [];

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly now: () => number,
    catalog: Catalog,
  ) {
    this.#catalog = catalog;
    this.#records = new RecordReader(this.#keys, catalog.files, now, this.#cache);
  }

  /** Throws a DdiaError: `not-found`, or `corrupt` where something that was synced cannot be read. */
  static async open(disk: Disk, directory: string, now = Date.now): Promise<BitcaskReader> {
    const reader = new BitcaskReader(disk, directory, now, readCatalog(disk, directory));
    await reader.#load();
    return reader;
  }

  get(key: Uint8Array): Buffer | null {
    return this.#records.get(key);
  }

  get size(): number {
    return this.#keys.size;
  }

  scan(options: ScanOptions = {}): Snapshot {
    return new Snapshot(this.#keys, this.#catalog.files, this.now(), options);
  }

  stat(): StoreStat {
    return statOf(this.#catalog, this.#keys, this.#catalog.manifest.nextSeq, undefined);
  }

  /** Looks at the store again. Costs what is new, or all of it where the set of files has changed. */
  async refresh(): Promise<void> {
    const catalog = readCatalog(this.disk, this.directory);
    if (catalog.manifest.generation === this.#catalog.manifest.generation) {
      const active = [...this.#catalog.files.values()].find(({ sealed }) => !sealed);
      if (active) await this.#tail(active);
      return;
    }
    this.#catalog.closeFiles();
    this.#keys = new KeyDirectory();
    this.#use(catalog);
    await this.#load();
  }

  close(): void {
    this.#catalog.closeFiles();
  }

  #use(catalog: Catalog): void {
    this.#catalog = catalog;
    this.#records = new RecordReader(this.#keys, catalog.files, this.now, this.#cache);
  }

  async #load(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { files, manifest } = this.#catalog;
      try {
        // Open first, read then: what is open cannot be removed under us.
        for (const file of files.values()) file.hold();
        await loadFiles(this.disk, [...files.values()], this.#keys, this.notes);
        settle(this.#keys, files);
        const active = [...files.values()].find(({ sealed }) => !sealed);
        if (active && !manifest.closed) await this.#tail(active);
        return;
      } catch (error) {
        this.#catalog.closeFiles();
        const now = readCatalog(this.disk, this.directory);
        const moved = now.manifest.generation !== manifest.generation;
        if (!moved || tries === OPEN_TRIES) throw error;
        this.#keys = new KeyDirectory();
        this.#use(now);
      }
    }
  }

  /** What was written behind the part that is known; a write that is under way ends it. */
  async #tail(file: DataFile): Promise<void> {
    const size = checkFile(this.disk, file);
    if (size <= file.size) return;
    const seqDue = file.seqLast > 0 ? file.seqLast + 1 : this.#catalog.manifest.nextSeq;
    const whole = await wholePart(this.disk, file, size, seqDue, file.size);
    const keys = this.#keys;
    const { files } = this.#catalog;
    const visitor = {
      record: (record: {
        bytes: Uint8Array;
        keyStart: number;
        keyEnd: number;
        offset: number;
        length: number;
        seq: number;
        expires: number;
        deleted: boolean;
      }) => {
        const { bytes, keyStart, keyEnd, offset, length, seq, expires, deleted } = record;
        const known = keys.find(bytes, keyStart, keyEnd);
        if (known >= 0) forget(keys, files, known);
        if (deleted) {
          if (known >= 0) keys.remove(known);
          return;
        }
        const entry = known >= 0 ? known : keys.put(bytes, keyStart, keyEnd);
        keys.set(entry, file.number, offset, length, seq, 0);
        keys.setExpires(entry, expires);
        file.liveBytes += length;
        file.liveRecords++;
      },
      damage(damage: { offset: number; code: string; message: string }) {
        throw corrupt(file, damage.offset, `${damage.code}: ${damage.message}`);
      },
    };
    await scanDataFile(this.disk, file, whole.end, visitor, { from: file.size });
    file.size = whole.end;
    file.records += whole.records;
    file.seqFirst ||= whole.seqFirst;
    file.seqLast = Math.max(file.seqLast, whole.seqLast);
  }
}

function readCatalog(disk: Disk, directory: string): Catalog {
  const catalog = disk.stat(directory) ? Catalog.read(disk, directory) : undefined;
  if (catalog) return catalog;
  const data = disk.stat(directory) && disk.list(directory).some((name) => DATA_NAME.test(name));
  throw data
    ? new DdiaError(
        'corrupt',
        `${directory}: data files and no manifest`,
        `ddia bitcask repair ${directory} --out NEW makes one from the files`,
      )
    : new DdiaError('not-found', `no store at ${directory}`);
}
