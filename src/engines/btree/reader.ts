/**
 * A store for reading only, in any process, while another one writes to it: no lock. It shows the
 * store as it was when it was opened or last refreshed.
 */
import { join } from 'node:path';
import { FILE_NAME } from '../../formats/btree/v2/layout.ts';
import { type Disk, readFully } from '../../io/disk.ts';
import { type Processes, systemProcesses } from '../../io/processes.ts';
import { DdiaError } from '../../shared/errors.ts';
import { CACHE_BYTES_DEFAULT } from './options.ts';
import { Pager } from './pager.ts';
import { putUpPin, takeDown } from './pins.ts';
import { type KeyValue, type ScanOptions, Snapshot } from './snapshot.ts';
import { rootOf } from './tree.ts';
import { metasIn, plain } from './tree-file.ts';

/** A writer that commits while we open makes us begin again, this often at most. */
const OPEN_TRIES = 100;

export class BtreeReader {
  #snapshot: Snapshot | undefined;
  #pin = '';

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly processes: Processes,
  ) {}

  /** Throws a DdiaError: `not-found`, `corrupt`, `busy`. */
  static open(disk: Disk, directory: string, processes = systemProcesses()): BtreeReader {
    if (disk.stat(join(directory, FILE_NAME))?.kind !== 'file') {
      throw new DdiaError('not-found', `no store at ${directory}`);
    }
    const reader = new BtreeReader(disk, directory, processes);
    reader.refresh();
    return reader;
  }

  get(key: Uint8Array): Buffer | null {
    return this.#snapshot!.get(key);
  }

  get size(): number {
    return this.#snapshot!.size;
  }

  scan(options: ScanOptions = {}): Iterable<KeyValue> {
    return this.#snapshot!.scan(options);
  }

  /** Looks at the store as it is now. */
  refresh(): void {
    const { disk, directory } = this;
    for (let i = 0; i < OPEN_TRIES; i++) {
      const file = disk.open(join(directory, FILE_NAME), 'read');
      const { live } = metasIn(file);
      const pin = putUpPin(disk, directory, live.txn, this.processes);
      if (metasIn(file).live.txn !== live.txn || !isCurrent(disk, directory, live.storeId)) {
        takeDown(disk, pin);
        file.close();
        continue;
      }
      const pager = new Pager(file, plain(live), CACHE_BYTES_DEFAULT);
      try {
        const root = rootOf(pager, live);
        this.close();
        this.#pin = pin;
        this.#snapshot = new Snapshot(pager, root, live.height, live.keys, () => {});
      } catch (error) {
        takeDown(disk, pin);
        throw error;
      } finally {
        pager.letGo();
      }
      return;
    }
    throw tooFast(directory);
  }

  close(): void {
    this.#snapshot?.close();
    this.#snapshot = undefined;
    if (this.#pin !== '') takeDown(this.disk, this.#pin);
    this.#pin = '';
  }
}

/**
 * For whoever reads the file by other means: what the store has now is not used again until the
 * function that is returned is called. Throws as `open` does.
 */
export function keepCurrent(
  disk: Disk,
  directory: string,
  processes = systemProcesses(),
): () => void {
  for (let i = 0; i < OPEN_TRIES; i++) {
    const file = disk.open(join(directory, FILE_NAME), 'read');
    let pin: string | undefined;
    try {
      const { live } = metasIn(file);
      pin = putUpPin(disk, directory, live.txn, processes);
      if (metasIn(file).live.txn === live.txn && isCurrent(disk, directory, live.storeId)) {
        const kept = pin;
        pin = undefined;
        return () => takeDown(disk, kept);
      }
    } finally {
      if (pin !== undefined) takeDown(disk, pin);
      file.close();
    }
  }
  throw tooFast(directory);
}

function tooFast(directory: string): DdiaError {
  return new DdiaError('busy', `${directory} changes faster than it can be opened`);
}

/** Vacuum puts another file in place of the one that is open. */
function isCurrent(disk: Disk, directory: string, storeId: bigint): boolean {
  const file = disk.open(join(directory, FILE_NAME), 'read');
  try {
    const id = new Uint8Array(8);
    readFully(file, id, 0, 8, 24);
    return new DataView(id.buffer).getBigUint64(0, true) === storeId;
  } finally {
    file.close();
  }
}
