/**
 * The state of a registry on disk: a write-ahead log of its events, and a snapshot of what the
 * older ones add up to.
 *
 *     DIR/log/          the log (formats/wal/v2): one event a record, durable when acknowledged
 *     DIR/snapshot.json {"seq", "sha256", "state"}: all events up to seq; replaced as a whole
 *
 * A snapshot is durable before the log is cut: after a crash between the two, events up to `seq`
 * are in both, and are left out when the log is replayed.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../formats/format.ts';
import type { WalRecord } from '../../formats/wal/model.ts';
import { replayLog } from '../../formats/wal/replay.ts';
import { type Disk, readFully } from '../../io/disk.ts';
import { makeDurableDirectory, replaceFile } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
import { WriteAheadLog } from '../wal/log.ts';
import type { WalOptions } from '../wal/options.ts';
import { openSegments } from '../wal/read.ts';
import type { RegistryEvent } from './model.ts';
import { RegistryState, type StateJson } from './state.ts';

const SNAPSHOT_NAME = 'snapshot.json';
const LOG_NAME = 'log';
/** Events after which a snapshot is taken. */
const SNAPSHOT_EVERY = 1000;

export interface StoreOptions extends WalOptions {
  snapshotEvery?: number;
}

interface Loaded {
  state: RegistryState;
  /** The last event that is in it. */
  seq: number;
}

export class RegistryStore {
  #sinceSnapshot = 0;
  /** Why the last snapshot could not be taken. */
  snapshotFailure: Error | undefined;

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly log: WriteAheadLog,
    readonly state: RegistryState,
    readonly snapshotEvery: number,
  ) {}

  /** Opens or creates. Throws a DdiaError: `locked`, `corrupt`, `not-found`. */
  static async open(
    disk: Disk,
    directory: string,
    options: StoreOptions = {},
  ): Promise<RegistryStore> {
    const { snapshotEvery = SNAPSHOT_EVERY, ...walOptions } = options;
    const path = join(directory, LOG_NAME);
    if (options.create !== false) makeDurableDirectory(disk, directory);
    const log = await WriteAheadLog.open(disk, path, walOptions);
    try {
      const { state, seq } = readSnapshot(disk, directory);
      const store = new RegistryStore(disk, directory, log, state, snapshotEvery);
      await log.replay(seq, (record) => {
        applyRecord(state, record);
        store.#sinceSnapshot++;
      });
      return store;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** The state that is durable, beside a writer or without one. */
  static async read(disk: Disk, directory: string): Promise<RegistryState> {
    const path = join(directory, LOG_NAME);
    if (disk.stat(path)?.kind !== 'directory') {
      throw new DdiaError('not-found', `no registry at ${directory}`);
    }
    const { state, seq } = readSnapshot(disk, directory);
    const input = openSegments(disk, path, 0);
    const context = { limits: DEFAULT_LIMITS, set: input.set };
    await replayLog(input, { after: BigInt(seq) }, context, (record) => applyRecord(state, record));
    return state;
  }

  /** Resolves when the event is durable; it is in the state then. */
  async append(event: RegistryEvent): Promise<void> {
    const value = Buffer.from(JSON.stringify(event), 'utf8');
    await this.log.append({ op: 'put', key: Buffer.from(event.kind, 'latin1'), value });
    this.state.apply(event);
    if (++this.#sinceSnapshot < this.snapshotEvery) return;
    try {
      await this.snapshot();
    } catch (error) {
      // The event is durable all the same, and what cannot be cut now is cut with a later one. A
      // log that is broken says so at the next event.
      this.snapshotFailure = error as Error;
    }
  }

  /** Puts the state into a snapshot and cuts the log. */
  async snapshot(): Promise<void> {
    const seq = this.log.currentSeq;
    const state = JSON.stringify(this.state.toJson());
    const document = `{"seq":${seq},"sha256":"${digestOf(state)}","state":${state}}\n`;
    replaceFile(this.disk, join(this.directory, SNAPSHOT_NAME), Buffer.from(document, 'utf8'));
    await this.log.checkpoint();
    this.log.truncate(seq);
    this.#sinceSnapshot = 0;
  }

  close(): Promise<void> {
    return this.log.close();
  }
}

function applyRecord(state: RegistryState, { op, bytes, valueStart, valueEnd }: WalRecord): void {
  if (op !== 'put') return;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + valueStart, valueEnd - valueStart);
  state.apply(JSON.parse(text.toString('utf8')) as RegistryEvent);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function readSnapshot(disk: Disk, directory: string): Loaded {
  const path = join(directory, SNAPSHOT_NAME);
  if (disk.stat(path) === undefined) return { state: new RegistryState(), seq: 0 };
  const file = disk.open(path, 'read');
  let text: string;
  try {
    const bytes = Buffer.alloc(file.size());
    readFully(file, bytes, 0, bytes.length, 0);
    text = bytes.toString('utf8');
  } finally {
    file.close();
  }
  const match = /^\{"seq":(\d+),"sha256":"([0-9a-f]{64})","state":(.*)\}\n$/s.exec(text);
  if (!match || digestOf(match[3]!) !== match[2]) {
    throw new DdiaError(
      'corrupt',
      `${path}: the snapshot does not have the checksum that it says`,
      'what it held can be had from an export, or from another copy of the registry',
    );
  }
  const state = RegistryState.fromJson(JSON.parse(match[3]!) as StateJson);
  return { state, seq: Number(match[1]) };
}
