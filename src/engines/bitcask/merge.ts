/**
 * A merge: what counts of some sealed files is copied into new ones, and the manifest is switched
 * from the old to the new at once. A crash before leaves the old files, a crash after it the new
 * ones, and leftovers either way that the next opening removes.
 *
 * What may be forgotten, and when:
 * - a record that a newer one of its key has replaced. The newer one must be durable first, or a
 *   crash would take both: the file that is written is synced before the switch.
 * - a deletion, or a value that has expired, if no file outside of the merge can hold an older
 *   record of the key: all its numbers are higher. Else an older value would come back.
 */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import type { BitcaskRecord } from '../../formats/bitcask/model.ts';
import type { Disk } from '../../io/disk.ts';
import type { Catalog } from './catalog.ts';
import { corrupt } from './corrupt.ts';
import type { DataFile } from './data-file.ts';
import { gatherHint, writeHint } from './hint-file.ts';
import { MergeOutput } from './merge-output.ts';
import { Moves } from './moves.ts';
import type { ResolvedOptions } from './options.ts';
import { type Pace, scanDataFile } from './scan-data.ts';

export interface MergeReport {
  /** Numbers of the files that were merged, and of those that were made. */
  inputs: number[];
  outputs: number[];
  bytesRead: number;
  bytesWritten: number;
  /** Records that were copied; of them, deletions that still hide an older record elsewhere. */
  kept: number;
  deletionsKept: number;
  /** Records that were not: replaced or deleted, expired, deletions that hide nothing any more. */
  replaced: number;
  expired: number;
  deletionsDropped: number;
  bytesReclaimed: number;
}

/** What a merge needs of the store. */
export interface MergeHost {
  readonly disk: Disk;
  readonly directory: string;
  readonly keys: KeyDirectory;
  readonly catalog: Catalog;
  readonly options: ResolvedOptions;
  /** Makes durable all that was written. */
  settled(): void;
  /** What the manifest is to say: see its layout. */
  nextSeq(): number;
  closed(): boolean;
  /** Throws if the store is poisoned or closed. */
  checkUsable(): void;
  poison(error: Error): Error;
}

/** One merge that is under way. */
interface Merging {
  /** A deletion with a higher number may hide something in a file that is not merged. */
  hides: number;
  values: MergeOutput;
  /**
   * By themselves: of one key there may be several, and values that were deleted since they were
   * copied, while a hint tells of the newest record of a key alone.
   */
  deletions: MergeOutput;
  moves: Moves;
  report: MergeReport;
}

export class Merger {
  constructor(readonly host: MergeHost) {}

  /** Makes the hint of a sealed file, and names it in the manifest. No merge runs meanwhile. */
  async hint(file: DataFile, pace: Pace): Promise<void> {
    const { disk, catalog } = this.host;
    const gathered = await gatherHint(file, catalog.manifest.storeId, pace);
    this.host.checkUsable();
    file.hintCrc = writeHint(disk, file, gathered);
    this.#commit(new Set());
  }

  async run(inputs: readonly DataFile[], pace: Pace): Promise<MergeReport> {
    const report = emptyReport(inputs);
    if (inputs.length === 0) return report;
    const { disk, directory, catalog, options } = this.host;
    const { fileBytes } = options;
    const merge: Merging = {
      hides: oldestOutside(catalog, inputs),
      values: new MergeOutput(disk, directory, catalog, fileBytes, true),
      deletions: new MergeOutput(disk, directory, catalog, fileBytes, false),
      moves: new Moves(),
      report,
    };
    const { values, deletions } = merge;
    for (const file of inputs) file.pin();
    try {
      for (const file of inputs) await this.#read(file, merge, pace);
      const files = [...values.finish(), ...deletions.finish()];
      const { storeId } = catalog.manifest;
      for (const file of files) {
        if (file.hintCrc !== 0) continue;
        file.hintCrc = writeHint(disk, file, await gatherHint(file, storeId, pace));
      }
      this.host.settled();
      pace.signal.throwIfAborted();
      this.#switch(inputs, files, merge);
    } catch (error) {
      // Once the manifest may name them, they are not ours to remove.
      if (report.outputs.length === 0) {
        values.abandon();
        deletions.abandon();
      }
      throw error;
    } finally {
      for (const file of inputs) file.unpin();
    }
    return report;
  }

  #read(file: DataFile, merge: Merging, pace: Pace): Promise<void> {
    return scanDataFile(
      file,
      file.size,
      {
        record: (record) => this.#take(file, record, merge),
        damage(damage) {
          throw corrupt(file, damage.offset, `${damage.code}: ${damage.message}`);
        },
      },
      { pace },
    );
  }

  /** Decides about one record. */
  #take(file: DataFile, record: BitcaskRecord, merge: Merging): void {
    const { keys, options } = this.host;
    const { moves, report } = merge;
    const { bytes, keyStart, keyEnd, offset, seq, expires } = record;
    const entry = keys.find(bytes, keyStart, keyEnd);
    const needed = seq > merge.hides;
    if (record.deleted) {
      if (entry >= 0) report.replaced++;
      else if (!needed) report.deletionsDropped++;
      else {
        merge.deletions.copy(record, true);
        report.kept++;
        report.deletionsKept++;
      }
      return;
    }
    if (entry < 0 || !keys.holds(entry, file.number, offset)) {
      report.replaced++;
      return;
    }
    if (expires !== 0 && expires <= options.now()) {
      report.expired++;
      if (needed) merge.deletions.copy(record, true);
      moves.add(entry, file.number, offset, 0, 0, 0);
      return;
    }
    report.kept++;
    const position = merge.values.copy(record, false);
    moves.add(entry, file.number, offset, merge.values.number, position, record.length);
  }

  /** The moment of the switch: all of it happens in one turn of the event loop. */
  #switch(
    inputs: readonly DataFile[],
    outputs: readonly DataFile[],
    { moves, report }: Merging,
  ): void {
    const { keys, catalog } = this.host;
    report.outputs = outputs.map(({ number }) => number);
    for (const file of outputs) catalog.files.set(file.number, file);
    this.#commit(new Set(inputs.map(({ number }) => number)));
    moves.apply(keys, catalog.files);
    for (const file of inputs) {
      catalog.files.delete(file.number);
      file.doom();
    }
    report.bytesWritten = outputs.reduce((sum, { size }) => sum + size, 0);
    report.bytesReclaimed = report.bytesRead - report.bytesWritten;
  }

  #commit(without: ReadonlySet<number>): void {
    const { catalog } = this.host;
    try {
      catalog.commit(this.host.nextSeq(), this.host.closed(), without);
    } catch (error) {
      // Which of the two manifests is there is unknown.
      throw this.host.poison(error as Error);
    }
  }
}

/** The lowest number that a file outside of the merge holds; Infinity: there is none. */
function oldestOutside(catalog: Catalog, inputs: readonly DataFile[]): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (const file of catalog.files.values()) {
    if (inputs.includes(file) || file.records === 0) continue;
    oldest = Math.min(oldest, file.seqFirst);
  }
  return oldest;
}

function emptyReport(inputs: readonly DataFile[]): MergeReport {
  return {
    inputs: inputs.map(({ number }) => number),
    outputs: [],
    bytesRead: inputs.reduce((sum, { size }) => sum + size, 0),
    bytesWritten: 0,
    kept: 0,
    deletionsKept: 0,
    replaced: 0,
    expired: 0,
    deletionsDropped: 0,
    bytesReclaimed: 0,
  };
}
