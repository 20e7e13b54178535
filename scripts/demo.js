// The main job on fixtures: a healthy log, a damaged one, its repair, and the proof of what was kept.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './ready.js';

const CLEAN = 'fixtures/wal/v1/clean';
const DAMAGED = 'fixtures/wal/v1/bad-crc';

function ddia(...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'bin/run.js'), ...args],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    },
  );
  return { status, stdout, stderr };
}

function show(...args) {
  console.log(`\n$ ddia ${args.join(' ')}`);
  const { status, stdout, stderr } = ddia(...args);
  process.stdout.write(stdout);
  process.stdout.write(stderr);
  console.log(`[exit ${status}]`);
  return status;
}

/** The operations of a log, as what must not change: seq, op, key, value. */
function operations(path) {
  const lines = ddia('wal', 'dump', path, '--json').stdout.trim().split('\n');
  return lines.map((line) => {
    const { seq, op, key, value } = JSON.parse(line);
    return JSON.stringify({ seq, op, key, value });
  });
}

function compare(before, out) {
  const kept = operations(out);
  const same = JSON.stringify(kept) === JSON.stringify(before);
  console.log(
    same
      ? `all ${before.length} readable operations are in the result, in order and unchanged`
      : `of ${before.length} readable operations ${kept.length} are in the result`,
  );
  return { same, kept };
}

/** Returns the exit code: 0 if everything came out as it must. */
export function demo() {
  const scratch = mkdtempSync(join(tmpdir(), 'ddia-'));
  const expect = [];
  try {
    console.log('# 1. A healthy write-ahead log');
    expect.push(show('wal', 'verify', CLEAN) === 0);

    console.log('\n# 2. A damaged one: one bit has flipped');
    expect.push(show('wal', 'verify', DAMAGED) === 1);
    show('wal', 'dump', DAMAGED, '--value-format', 'size');

    console.log('\n# 3. Repair: every byte is accounted for, what cannot be used is set aside');
    const out = join(scratch, 'repaired');
    expect.push(show('wal', 'repair', DAMAGED, '--out', out) === 1);

    console.log('\n# 4. The proof: what could be read before is what the result holds');
    const before = operations(DAMAGED);
    expect.push(compare(before, out).same);

    console.log(
      '\n# 5. This damage has one explanation that the checksum proves: --mend loses nothing',
    );
    const mended = join(scratch, 'mended');
    expect.push(show('wal', 'repair', DAMAGED, '--mend', '--out', mended) === 0);
    const whole = JSON.stringify(operations(mended)) === JSON.stringify(operations(CLEAN));
    console.log(
      whole
        ? `the result holds the same ${operations(CLEAN).length} operations as the healthy log`
        : 'the result differs from the healthy log',
    );
    expect.push(whole);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return expect.every(Boolean) ? 0 : 1;
}
