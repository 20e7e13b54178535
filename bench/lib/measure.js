// Times whole processes: start to end, as whoever waits for them feels it. What is compared runs in
// turns, so that a slow minute of the machine hits both sides, and a ratio is taken from each turn
// by itself.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Peak memory comes from GNU time, which asks the kernel about a child that it has waited for. */
const GNU_TIME = '/usr/bin/time';

export function memoryIsMeasured() {
  if (!existsSync(GNU_TIME)) return false;
  const { stdout, stderr } = spawnSync(GNU_TIME, ['--version'], { encoding: 'utf8' });
  return /GNU/i.test(`${stdout}${stderr}`);
}

const withMemory = memoryIsMeasured();

/**
 * A program with its arguments. `exits`: the codes that say it did its work. `bare`: without GNU
 * time around it, whose own start would count where the whole run takes milliseconds.
 */
export function program(file, args, { exits = [0], bare = false } = {}) {
  return { file, args, exits, bare };
}

/** Runs it once with its output thrown away: seconds, and peak memory in MB if that is known. */
export function time({ file, args, exits, bare }) {
  const wrapped = withMemory && !bare;
  const scratch = wrapped ? mkdtempSync(join(tmpdir(), 'ddia-bench-time-')) : undefined;
  try {
    const report = scratch && join(scratch, 'peak');
    const line = wrapped
      ? [GNU_TIME, '-q', '-f', '%M', '-o', report, file, ...args]
      : [file, ...args];
    const begun = performance.now();
    const ran = spawnSync(line[0], line.slice(1), {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    const seconds = (performance.now() - begun) / 1000;
    mustHaveWorked(ran, file, args, exits);
    const peak = report && (Number(readFileSync(report, 'utf8').trim()) * 1024) / 1e6;
    return { seconds, peak };
  } finally {
    if (scratch) rmSync(scratch, { recursive: true });
  }
}

/** Runs it once for what it prints. */
export function output({ file, args, exits }, input) {
  const ran = spawnSync(file, args, { encoding: 'utf8', input, maxBuffer: 64 << 20 });
  mustHaveWorked(ran, file, args, exits);
  return ran.stdout;
}

/** Counted where the lines go by: the output is larger than what should be held in memory. */
export function mustPrint({ file, args }, lines) {
  const counted = output(program('sh', ['-c', '"$0" "$@" | wc -l', file, ...args])).trim();
  if (Number(counted) !== lines) {
    throw new Error(`${[file, ...args].join(' ')}: ${counted} lines, expected ${lines}`);
  }
}

function mustHaveWorked({ error, status, signal, stderr }, file, args, exits) {
  if (error) throw error;
  if (exits.includes(status)) return;
  throw new Error(`${[file, ...args].join(' ')}: ended with ${signal ?? status}\n${stderr}`);
}

/**
 * A B A B …: one run of each to warm up, which is not counted, then `rounds` of one each. Returns
 * the runs by name, those of a round at the same index.
 */
export function alternate(programs, rounds) {
  const names = Object.keys(programs);
  const runs = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) time(programs[name]);
  for (let round = 0; round < rounds; round++) {
    for (const name of names) runs[name].push(time(programs[name]));
  }
  return runs;
}

export const secondsOf = (runs) => runs.map(({ seconds }) => seconds);
export const peaksOf = (runs) => runs.map(({ peak }) => peak).filter((peak) => peak !== undefined);

/** How many times as long as `b` `a` took, round by round. */
export const ratios = (a, b) => a.map(({ seconds }, round) => seconds / b[round].seconds);

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Whether a program is there to be run. */
export function found(file, args = ['--version']) {
  return spawnSync(file, args, { stdio: 'ignore' }).error === undefined;
}
