import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inThreads } from '../../../src/engines/bitcask/hint-reader.ts';
import { BitcaskReader } from '../../../src/engines/bitcask/reader.ts';
import { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { TextbookStore } from '../../../src/engines/bitcask/textbook.ts';
import { bitcask } from '../../../src/formats/bitcask/index.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { type Event, opener, ROOT, violations, write } from './invariants.ts';

const disk = new RealDisk();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ddia-zz-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const b = (t: string) => Buffer.from(t);
const open = (options = {}) => BitcaskStore.open(disk, dir, { sync: 'none', ...options });
const content = (s: any) => [...s.scan()].map(({ key, value }: any) => `${key}=${value}`).join(' ');

it('S1 batch over 64MiB', async () => {
  let s = await open();
  const big = Buffer.alloc(30 * 1024 * 1024);
  const r = await s
    .batch(['a', 'b', 'c', 'd'].map((k) => ({ key: b(k), value: big })))
    .catch((e) => e);
  console.log('S1', r instanceof Error ? r.message : r);
  await s.close();
  s = await open();
  try {
    console.log('S1 size', s.size);
    await s.merge();
  } catch (e) {
    console.log('S1', (e as Error).message);
  }
  await s.close().catch(() => {});
});

it('S2 crash recover crash', async () => {
  const other = (n: number) => ({
    self: { pid: 5000 + n, started: 'x' },
    isAlive: ({ pid }: any) => pid === 5000 + n,
  });
  const report = await explore<Event>({
    disk: { root: ROOT },
    async workload(d, log) {
      const first = await opener(d.boot, { sync: 'none' })(d, { processes: other(1) });
      await write(first, log, [['a', '1']], false);
      await write(first, log, [['b', '1']], false);
      const second = await opener(d.boot, { sync: 'none' })(d, { processes: other(2) });
      await write(second, log, [['c', 'x'.repeat(700)]], false);
      await write(second, log, [['d', 'y'.repeat(700)]], false);
      await write(second, log, [['e', 'y'.repeat(700)]], false);
      await second.close();
    },
    check: (d, { events }) => violations(d, events, opener(d.boot, {})),
    limits: { maxStates: 3000, maxRecoveryStates: 10, maxViolations: 2 },
  });
  console.log('S2', report.states, report.violations.map((v) => v.messages.join('\n')).join('\n'));
});

it('S3 close hang', async () => {
  const s = await open({
    fileBytes: 600_000,
    autoMerge: true,
    mergeBytesPerSecond: 1000,
    mergeDead: 0.1,
  });
  for (let i = 0; i < 30; i++) await s.put(b('k'), Buffer.alloc(100_000));
  await new Promise((r) => setTimeout(r, 200));
  const t = performance.now();
  const won = await Promise.race([
    s.close().then(() => 'closed'),
    new Promise((r) => setTimeout(r, 3000, 'hung')),
  ]);
  console.log('S3', won, performance.now() - t);
});

it('S4 threads hang', async () => {
  const s = await open({ fileBytes: 1000 });
  for (let i = 0; i < 100; i++) await s.put(b('k' + i), Buffer.alloc(100));
  await s.merge();
  await s.close();
  const reader = inThreads(disk, join(dir, 'nope.js'), 2);
  const exp = { file: 1, crc: 1, dataBytes: 1 };
  const names = readdirSync(dir).filter((n) => n.endsWith('.bch'));
  await reader.read(join(dir, names[0]!), exp);
  const r = await Promise.race([
    reader.read(join(dir, names[1]!), exp),
    new Promise((r) => setTimeout(r, 2000, 'hung')),
  ]);
  console.log('S4', r);
  reader.close();
});

it('S5 spurious hint failure', async () => {
  const s = await open({ fileBytes: 20_000 });
  for (let i = 0; i < 100; i++) await s.put(b('k' + i), Buffer.alloc(1000));
  const m = [s.merge(), s.merge()];
  for (let i = 0; i < 100; i++) await s.put(b('k' + i), Buffer.alloc(1000));
  m.push(s.merge());
  for (let i = 0; i < 50; i++) {
    await s.put(b('k' + i), Buffer.alloc(1000));
    await new Promise((r) => setImmediate(r));
  }
  await Promise.all(m);
  await s.idle();
  console.log('S5', s.stat().backgroundFailure);
  await s.close();
});

it('S6 reader during refresh', async () => {
  const s = await open({ fileBytes: 20_000 });
  for (let i = 0; i < 100; i++) await s.put(b('k' + i), Buffer.alloc(1000));
  const r = await BitcaskReader.open(disk, dir);
  await s.merge();
  const p = r.refresh();
  console.log('S6 during', r.get(b('k1'))?.length, r.size);
  await p;
  await s.close();
  writeFileSync(join(dir, 'MANIFEST.bitcask2'), 'garbage');
  console.log('S6 failing', await r.refresh().catch((e) => e.message), r.size);
  r.close();
  console.log(
    'S11 closed reader get',
    (() => {
      try {
        return r.get(b('k1'))?.length;
      } catch (e) {
        return (e as Error).message;
      }
    })(),
  );
});

it('S6b concurrent refresh', async () => {
  const s = await open();
  await s.put(b('k'), b('1'));
  const r = await BitcaskReader.open(disk, dir);
  for (let i = 0; i < 10; i++) await s.put(b('k' + i), b('1'));
  await Promise.all([r.refresh(), r.refresh()]);
  console.log(
    'S6b',
    r.stat().files.map((f) => [f.records, f.liveRecords]),
    r.size,
  );
  r.close();
  await s.close();
});

it('S7 older manifest', async () => {
  let s = await open({ fileBytes: 1000 });
  await s.put(b('a'), b('1'));
  copyFileSync(join(dir, 'MANIFEST.bitcask2'), join(dir, 'keep'));
  for (let i = 0; i < 30; i++) await s.put(b('k' + i), Buffer.alloc(100));
  await s.close();
  const before = readdirSync(dir).length;
  copyFileSync(join(dir, 'keep'), join(dir, 'MANIFEST.bitcask2'));
  try {
    s = await open({ fileBytes: 1000 });
    console.log('S7', s.size, before, readdirSync(dir).length);
    await s.close();
  } catch (e) {
    console.log('S7', (e as Error).message);
  }
});

it('S9 two closes', async () => {
  const s = await open();
  await s.put(b('a'), b('1'));
  console.log('S9', await Promise.allSettled([s.close(), s.close()]));
});

it('S10 failing remove', async () => {
  const d = new SimDisk({ root: '/store' });
  const s = await opener(0, { fileBytes: 200 })(d);
  for (let i = 0; i < 20; i++) await s.put(b('k'), b('x'.repeat(50)));
  await s.idle();
  d.inject(failing('remove', 1));
  console.log(
    'S10',
    await s.merge().then(
      (r) => r.inputs.length,
      (e) => e.message,
    ),
    d.list('/store'),
    content(s).length,
  );
  console.log(await s.close().catch((e) => e.message));
});

it('S12 textbook', async () => {
  const dialect = bitcask.dialects.find(({ id }) => id === 'hash-v1')! as any;
  const t = await TextbookStore.open(disk, join(dir, 't'), dialect);
  t.close();
  try {
    console.log('S12', t.write(b('k'), b('v')));
  } catch (e) {
    console.log('S12', (e as Error).message);
  }
  const d = new SimDisk({ root: '/store' });
  const u = await TextbookStore.open(d, '/store', dialect, { fileBytes: 30 });
  u.write(b('k'), b('v'.repeat(20)));
  d.inject(failing('create', 1));
  for (let i = 0; i < 2; i++)
    try {
      u.write(b('k'), b('v'));
    } catch (e) {
      console.log('S12b', (e as Error).message);
    }
  try {
    u.close();
  } catch (e) {
    console.log('S12c', (e as Error).message);
  }
  console.log('S12d', d.list('/store'));
});

it('S13 extended', async () => {
  let s = await open();
  await s.put(b('a'), b('1'));
  await s.close();
  appendFileSync(join(dir, '000001.bcd'), 'garbage');
  try {
    s = await open();
    console.log('S13 opened', s.size);
    await s.close();
  } catch (e) {
    console.log('S13', (e as Error).message);
  }
});

it('S14 create false', async () => {
  try {
    const s = await open({ create: false });
    console.log('S14 opened', readdirSync(dir));
    await s.close();
  } catch (e) {
    console.log('S14', (e as Error).message);
  }
});

it('S16 auto merge leaks', async () => {
  const s = await open({ fileBytes: 20_000, autoMerge: true });
  for (let i = 0; i < 3000; i++) {
    await s.put(b('key' + i), b('v'.repeat(50)));
    if (i % 100 === 0) await s.idle();
  }
  for (let i = 0; i < 3000; i++) {
    await s.delete(b('key' + i));
    if (i % 100 === 0) await s.idle();
  }
  for (let i = 0; i < 1000; i++) {
    await s.put(b('x'), b('v'.repeat(500)));
    if (i % 10 === 0) await s.idle();
  }
  await s.idle();
  console.log('S16', s.stat().bytes, s.stat().files.length, s.size);
  await s.close();
});
it('S16b ttl', async () => {
  let now = 1000;
  const s = await open({ fileBytes: 20_000, autoMerge: true, now: () => now });
  for (let i = 0; i < 6000; i++) {
    now++;
    await s.put(b('key' + i), b('v'.repeat(50)), { ttl: 100 });
    if (i % 100 === 0) await s.idle();
  }
  await s.idle();
  console.log('S16b', s.stat().bytes, s.stat().files.length, s.size);
  await s.close();
});
it('S17 deletion with ttl', async () => {
  const d = new SimDisk({ root: '/store' });
  const s = await opener(0, { fileBytes: 300 })(d);
  await s.put(b('a'), b('1'.repeat(200)));
  await s.put(b('z'), b('1'.repeat(200)));
  await s.batch([{ key: b('a'), value: undefined, ttl: 5000 }]);
  await s.put(b('b'), b('1'.repeat(200)));
  await s.put(b('b'), b('1'.repeat(200)));
  await s.put(b('b'), b('1'.repeat(200)));
  await s.idle();
  console.log(
    'S17',
    s.stat().files.map((f) => [f.file, f.liveBytes, f.bytes]),
    await s.merge('worth'),
  );
  await s.close();
  console.log('S17', await violations(d, [], opener(0)));
});
it('S18 one turn', async () => {
  const s = await open({ fileBytes: 100_000 });
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => s.put(b('k' + i), Buffer.alloc(100_000))),
  );
  console.log(
    'S18',
    s.stat().files.map((f) => f.bytes),
  );
  await s.close();
});
it('S23 snapshot over close and reopen', async () => {
  let s = await open();
  for (let i = 0; i < 10; i++) await s.put(b('k' + i), b('v'));
  await s.close();
  s = await open();
  const snap = s.scan();
  for (let i = 0; i < 10; i++) await s.put(b('k' + i), b('w'));
  await s.merge();
  await s.close();
  s = await open();
  try {
    console.log('S23', [...snap].length);
  } catch (e) {
    console.log('S23', (e as Error).message);
  }
  await s.close();
});
it('S31 hints', async () => {
  let s = await open({ fileBytes: 1000 });
  for (let i = 0; i < 100; i++) await s.put(b('k' + i), b('v'.repeat(50)));
  await s.close();
  s = await open({ fileBytes: 1000 });
  await s.put(b('k'), b('v'));
  await s.idle();
  console.log('S31', s.stat().files.filter((f) => f.sealed && !f.hint).length);
  await s.close();
});
it('S8 numbers', async () => {
  let s = await open({ fileBytes: 1000 });
  for (let i = 0; i < 20; i++) await s.put(b('k' + i), b('v'.repeat(50)));
  await s.idle();
  await s.close();
  writeFileSync(join(dir, '000099.bcd'), 'left over');
  s = await open({ fileBytes: 1000 });
  await s.close();
  s = await open({ fileBytes: 1000 });
  await s.merge();
  console.log(
    'S8',
    s.stat().files.map((f) => f.file),
  );
  await s.close();
});
