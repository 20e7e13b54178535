/**
 * Appends to the write-ahead log on the real disk: node bench/run.js engine [--dir DIR]
 * One caller and sixteen, synced and not, beside a raw loop of the same writes and syncs.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SyncMode } from '../src/engines/sync-mode.ts';
import { WriteAheadLog } from '../src/engines/wal/log.ts';
import { RealDisk } from '../src/io/real-disk.ts';

const base = process.argv[2] ?? tmpdir();

interface Figure {
  what: string;
  perSecond: number;
}

const seconds = (begun: number): number => (performance.now() - begun) / 1000;
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

async function appends(
  sync: SyncMode,
  callers: number,
  bytes: number,
  total: number,
): Promise<number> {
  const directory = fs.mkdtempSync(join(base, 'ddia-bench-'));
  const log = await WriteAheadLog.open(new RealDisk(), directory, { sync });
  const operation = { op: 'put', key: Buffer.alloc(16, 'k'), value: Buffer.alloc(bytes - 16, 'v') };
  const begun = performance.now();
  const each = Math.ceil(total / callers);
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let i = 0; i < each; i++) await log.append(operation);
    }),
  );
  const rate = (each * callers) / seconds(begun);
  await log.close();
  fs.rmSync(directory, { recursive: true });
  return rate;
}

/** The floor: write at the end and fdatasync, nothing else. */
function rawLoop(bytes: number, total: number): number {
  const file = join(base, `ddia-bench-raw-${process.pid}`);
  const fd = fs.openSync(file, 'w');
  const buffer = Buffer.alloc(bytes + 36, 'r');
  const begun = performance.now();
  for (let i = 0; i < total; i++) {
    fs.writeSync(fd, buffer, 0, buffer.length, i * buffer.length);
    fs.fdatasyncSync(fd);
  }
  const rate = total / seconds(begun);
  fs.closeSync(fd);
  fs.rmSync(file);
  return rate;
}

const figures: Figure[] = [];
for (const bytes of [100, 4096]) {
  const one: number[] = [];
  const sixteen: number[] = [];
  const raw: number[] = [];
  for (let round = 0; round < 5; round++) {
    raw.push(rawLoop(bytes, 1500));
    one.push(await appends('sync', 1, bytes, 1500));
    sixteen.push(await appends('sync', 16, bytes, 24_000));
  }
  figures.push({ what: `raw write + fdatasync, ${bytes} bytes`, perSecond: median(raw) });
  figures.push({ what: `synced append, 1 caller, ${bytes} bytes`, perSecond: median(one) });
  figures.push({ what: `synced append, 16 callers, ${bytes} bytes`, perSecond: median(sixteen) });
}
const unsynced: number[] = [];
for (let round = 0; round < 5; round++) unsynced.push(await appends('none', 1, 100, 1_000_000));
figures.push({ what: 'unsynced append, 1 caller, 100 bytes', perSecond: median(unsynced) });
const burst: number[] = [];
for (let round = 0; round < 5; round++) burst.push(await appends('none', 16, 100, 1_000_000));
figures.push({ what: 'unsynced append, 16 callers, 100 bytes', perSecond: median(burst) });

for (const { what, perSecond } of figures) {
  process.stdout.write(
    `${what.padEnd(42)} ${Math.round(perSecond).toLocaleString('en')} a second\n`,
  );
}
