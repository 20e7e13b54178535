/** The textbook layouts, against a reader and writer in Python that shares no line with ours. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ddia } from '../cli/run.ts';
import {
  describePeer,
  dump,
  expectClean,
  hexOf,
  type Line,
  needs,
  peer,
  RandomBytes,
  script,
  workspace,
} from './peers.ts';

/** What `wal write` takes: bytes in hex, so that any will do. */
interface Input {
  op: string;
  key?: { hex: string };
  value?: { hex: string };
  ops?: Input[];
}

const SEGMENT_BYTES = 20_000;

/**
 * Lone writes, batches, checkpoints; now and then an empty key or value, or one larger than a
 * segment.
 */
function v1Operations(seed: number, count: number): Input[] {
  const random = new RandomBytes(seed);
  const write = (): Input => {
    const key = { hex: random.below(30) === 0 ? '' : random.key() };
    if (random.below(4) === 0) return { op: 'delete', key };
    return { op: 'put', key, value: { hex: random.hex(random.valueBytes()) } };
  };
  return Array.from({ length: count }, () => {
    const kind = random.below(20);
    if (kind === 0) return { op: 'checkpoint' };
    if (kind > 8) return write();
    return { op: 'batch', ops: Array.from({ length: 1 + random.below(8) }, write) };
  });
}

/**
 * An empty value is a deletion there, and nothing of it is checked: only lengths that say what they
 * are.
 */
function lsmOperations(seed: number, count: number): Input[] {
  const random = new RandomBytes(seed);
  return Array.from({ length: count }, () => {
    const key = { hex: random.key() };
    if (random.below(4) === 0) return { op: 'delete', key };
    return { op: 'put', key, value: { hex: random.hex(1 + random.valueBytes()) } };
  });
}

const inputOf = (operations: readonly Input[]) =>
  operations.map((operation) => `${JSON.stringify(operation)}\n`).join('');

/** What Python reads there. */
function read(layout: string, directory: string): Line[] {
  const text = peer('python3', [script('v1.py'), 'read', layout, directory]);
  const rows = text.split('\n').filter((line) => line !== '');
  return rows.map((line) => JSON.parse(line) as Line);
}

/** What our dump says of it, as Python does. */
function dumped(directory: string, ...flags: string[]): Line[] {
  return dump(directory, ...flags).map(({ key, value, ...line }) => ({
    ...line,
    key: hexOf(key) ?? '',
    value: hexOf(value) ?? '',
  }));
}

function filesOf(directory: string): [string, string][] {
  const names = readdirSync(directory).sort();
  return names.map((name) => [name, readFileSync(join(directory, name), 'latin1')]);
}

describePeer('v1, against Python', () => {
  needs('python3', ['--version'], 'python3');
  const at = workspace();

  it.each([1, 2, 3])('reads what Python wrote, seed %i', (seed) => {
    const directory = at.path(`python-${seed}`);
    const input = inputOf(v1Operations(seed, 1500));
    peer('python3', [script('v1.py'), 'write', 'v1', directory, String(SEGMENT_BYTES)], input);
    expectClean(directory);
    const told = dumped(directory);
    expect(told).toEqual(read('v1', directory));
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => i + 1));
    expect(readdirSync(directory).length).toBeGreaterThan(20);
  });

  it.each([4, 5, 6])('writes what Python writes, byte for byte, seed %i', (seed) => {
    const [ours, theirs] = [at.path(`ours-${seed}`), at.path(`theirs-${seed}`)];
    const input = inputOf(v1Operations(seed, 1500));
    const size = String(SEGMENT_BYTES);
    const ran = ddia(['wal', 'write', ours, '--dialect', 'v1', '--segment-bytes', size], { input });
    expect(ran.status, ran.stderr).toBe(0);
    peer('python3', [script('v1.py'), 'write', 'v1', theirs, size], input);
    expect(filesOf(ours)).toEqual(filesOf(theirs));
    expect(read('v1', ours)).toEqual(dumped(ours));
  });

  it('writes a dump again as it was', () => {
    const [before, after] = [at.path('before'), at.path('after')];
    const input = inputOf(v1Operations(7, 500));
    peer('python3', [script('v1.py'), 'write', 'v1', before, String(SEGMENT_BYTES)], input);
    const lines = ddia(['wal', 'dump', before, '--json']).stdout;
    const flags = ['--dialect', 'v1', '--keep-seq'];
    const ran = ddia(['wal', 'write', after, ...flags], { input: lines });
    expect(ran.status, ran.stderr).toBe(0);
    expect(filesOf(after)).toEqual(filesOf(before));
  });
});

describePeer('lsm-v1, against Python', () => {
  needs('python3', ['--version'], 'python3');
  const at = workspace();

  it.each([1, 2, 3])('reads what Python wrote, and writes the same, seed %i', (seed) => {
    const [ours, theirs] = [at.path(`ours-${seed}`), at.path(`theirs-${seed}`)];
    const input = inputOf(lsmOperations(seed, 1500));
    peer('python3', [script('v1.py'), 'write', 'lsm-v1', theirs], input);
    expectClean(theirs);
    expect(dumped(theirs)).toEqual(read('lsm-v1', theirs));

    const ran = ddia(['wal', 'write', ours, '--dialect', 'lsm-v1'], { input });
    expect(ran.status, ran.stderr).toBe(0);
    expect(filesOf(ours)).toEqual(filesOf(theirs));
    expect(read('lsm-v1', ours)).toEqual(dumped(ours));
  });
});
