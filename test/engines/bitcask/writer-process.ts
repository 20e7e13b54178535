/**
 * A writer in a process of its own, bundled by processes.test.ts: `DIRECTORY MODE FIRST`.
 *
 * Every step i is a batch and three writes, in this order, so that what any prefix of them leaves
 * can be told: see `stepsOf` in the test.
 *
 *     batch   plus = plus + i, minus = minus - i, step = i
 *     put     ring:(i mod 50) = i
 *     put     passing:i = i
 *     delete  passing:(i - 1)
 *
 * Mode `merge`: merges as well, until standard input ends. Says `open`, and in the end how many
 * steps and merges there were.
 * Mode `acknowledge`: until it is killed, prints every step that is done.
 */
import { writeSync } from 'node:fs';
import { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';

const [directory, mode, first] = process.argv.slice(2) as [string, string, string];
const b = (value: string | number): Buffer => Buffer.from(String(value));

const store = await BitcaskStore.open(new RealDisk(), directory, {
  sync: 'none',
  fileBytes: 20_000,
  autoMerge: true,
});
const numberOf = (key: string): number => Number(store.get(b(key)) ?? 0);
let [plus, minus] = [numberOf('plus'), numberOf('minus')];

async function step(i: number): Promise<void> {
  plus += i;
  minus -= i;
  await store.batch([
    { key: b('plus'), value: b(plus) },
    { key: b('minus'), value: b(minus) },
    { key: b('step'), value: b(i) },
  ]);
  await store.put(b(`ring:${i % 50}`), b(String(i).padEnd(100)));
  await store.put(b(`passing:${i}`), b(i));
  await store.delete(b(`passing:${i - 1}`));
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

if (mode === 'acknowledge') {
  for (let i = Number(first); ; i++) {
    await step(i);
    writeSync(1, `${i}\n`);
    await turn();
  }
}
let merges = 0;
let stopped = false;
process.stdin.on('end', () => {
  stopped = true;
});
process.stdin.resume();
writeSync(1, 'open\n');
let i = Number(first);
for (; !stopped || merges === 0; i++) {
  await step(i);
  if (i % 50 === 0) void store.merge().then(() => merges++);
  await turn();
}
await store.idle();
await store.close();
writeSync(1, `${JSON.stringify({ steps: i - 1, merges })}\n`);
