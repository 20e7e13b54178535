/** stat of the family: what is in a store, by data file and in all, and what a merge would win. */
import { Sizes } from '../sizes.ts';
import { storeFiles } from './files.ts';
import { LiveIndex } from './live.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';
import { scanStore } from './reader.ts';

interface FileStat {
  file: string;
  bytes: number;
  records: number;
  deletions: number;
  recordBytes: number;
  live: number;
  liveBytes: number;
  damaged: number;
  damagedBytes: number;
  hint: boolean;
}

export async function statStore(
  input: BitcaskOpened,
  context: BitcaskScanContext,
): Promise<Record<string, unknown>> {
  const { dialect, set } = input;
  const { data, hints } = storeFiles(input);
  const index = new LiveIndex(dialect);
  const files: FileStat[] = [];
  const values = new Sizes();
  let current: FileStat;
  await scanStore(input, context, {
    file(file, number) {
      index.beginFile(number);
      current = emptyStat(file.name, file.size ?? 0, file.hint !== undefined);
      files.push(current);
    },
    record(record) {
      index.record(record);
      current.records++;
      current.recordBytes += record.length;
      if (record.deleted) current.deletions++;
      else values.add(record.valueEnd - record.valueStart);
      // A stream tells its size as it goes.
      current.bytes = Math.max(current.bytes, record.offset + record.length);
    },
    damage(damage) {
      current.damaged++;
      if (damage.lost) current.damagedBytes += damage.length;
      current.bytes = Math.max(current.bytes, damage.offset + damage.length);
    },
  });
  const { keys, ...counts } = countLive(index, files, context.now);
  const sum = (pick: (file: FileStat) => number) => files.reduce((all, one) => all + pick(one), 0);
  const recordBytes = sum((file) => file.recordBytes);
  const liveBytes = sum((file) => file.liveBytes);
  return {
    path: set.path,
    family: 'bitcask',
    dialect: dialect.id,
    files: data.length,
    hints: hints.length,
    bytes: sum((file) => file.bytes),
    hintBytes: hints.reduce((all, { size = 0 }) => all + size, 0),
    records: sum((file) => file.records),
    ...counts,
    deletions: sum((file) => file.deletions),
    liveBytes,
    deadBytes: recordBytes - liveBytes,
    fragmentation: share(recordBytes - liveBytes, recordBytes),
    keys: keys.told(),
    values: values.told(),
    damaged: sum((file) => file.damaged),
    damagedBytes: sum((file) => file.damagedBytes),
    dataFiles: files.map(({ recordBytes: all, hint, damaged, damagedBytes, ...file }) => ({
      ...file,
      deadBytes: all - file.liveBytes,
      fragmentation: share(all - file.liveBytes, all),
      damaged,
      damagedBytes,
      hint: hint ? 'yes' : 'no',
    })),
  };
}

function emptyStat(file: string, bytes: number, hint: boolean): FileStat {
  const none = { records: 0, deletions: 0, recordBytes: 0, live: 0, liveBytes: 0 };
  return { file, bytes, ...none, damaged: 0, damagedBytes: 0, hint };
}

/** Gives each file the records of it that count. */
function countLive(
  index: LiveIndex,
  files: readonly FileStat[],
  now: number | undefined,
): { live: number; expired?: number; keys: Sizes } {
  const keys = new Sizes();
  let live = 0;
  let expired = 0;
  index.keys.forEach((entry) => {
    if (index.isDeleted(entry)) return;
    if (!index.isLive(entry, now)) {
      expired++;
      return;
    }
    live++;
    keys.add(index.keys.keyLength(entry));
    const file = files[index.keys.file(entry)]!;
    file.live++;
    file.liveBytes += index.keys.length(entry);
  });
  return { live, ...(expired > 0 && { expired }), keys };
}

/** Percent, to one digit behind the point. */
function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1000) / 10;
}
