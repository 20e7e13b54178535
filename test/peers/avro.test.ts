/** Apache Avro for Python (Debian's python3-avro) and for C (avro-bin): each reads what we wrote. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ddia, root } from '../cli/run.ts';
import { describePeer, needs, peer, pythonFor, RandomBytes, script, workspace } from './peers.ts';

const PYTHON = pythonFor('import avro');
const SCRIPT = script('apache_avro.py');

const SCHEMA = {
  type: 'record',
  name: 'Thing',
  namespace: 'peers',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: ['null', 'string'], default: null },
    { name: 'data', type: 'bytes' },
    { name: 'code', type: { type: 'fixed', name: 'Code', size: 3 } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B', 'C'] } },
    { name: 'counts', type: { type: 'map', values: 'int' } },
    { name: 'parts', type: { type: 'array', items: ['null', 'Thing'] } },
    { name: 'ratio', type: 'double' },
    { name: 'ok', type: 'boolean' },
  ],
};

interface Thing {
  parts: (Thing | null)[];
  [field: string]: unknown;
}

function things(seed: number, count: number): Thing[] {
  const random = new RandomBytes(seed);
  const one = (id: number, depth: number): Thing => ({
    id: id % 7 === 0 ? String(9_007_199_254_740_993n + BigInt(id)) : id - 50,
    name: id % 3 === 0 ? null : `naïve ${id}`,
    data: { hex: random.hex(random.below(30)) },
    code: { hex: random.hex(3) },
    kind: ['A', 'B', 'C'][id % 3],
    counts: Object.fromEntries(
      Array.from({ length: id % 3 }, (_, i) => [`k${i}`, random.below(1000) - 500]),
    ),
    parts: Array.from({ length: depth > 0 ? id % 3 : 0 }, (_, i) =>
      i === 1 ? null : one(id + 1, depth - 1),
    ),
    ratio: random.below(1000) / 8,
    ok: id % 2 === 0,
  });
  return Array.from({ length: count }, (_, i) => one(i, 2));
}

/** Fractions of zero and whole numbers print differently; maps in any order. */
const values = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

describePeer('Apache Avro for Python', () => {
  needs(PYTHON, ['-c', 'import avro'], 'python3-avro');
  const directory = workspace();
  const rows = things(5, 300);
  const input = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;

  function schemaFile(): string {
    const path = directory.path('thing.avsc');
    writeFileSync(path, JSON.stringify(SCHEMA));
    return path;
  }

  it.each(['null', 'deflate', 'bzip2'])('reads what we wrote: %s', (codec) => {
    const out = directory.path(`ours-${codec}.avro`);
    const args = ['--schema', schemaFile(), '--ocf', '--codec', codec, '--block-bytes', '2000'];
    expect(ddia(['avro', 'encode', ...args, '--out', out], { input }).status).toBe(0);
    expect(values(peer(PYTHON, [SCRIPT, 'rows', out]))).toEqual(rows);
  });

  it.each(['null', 'deflate', 'bzip2'])('writes what we read: %s', (codec) => {
    const out = directory.path(`theirs-${codec}.avro`);
    // Python takes integers as they are.
    const digits = input.replaceAll(/"id":"(\d+)"/g, '"id":$1');
    peer(PYTHON, [SCRIPT, 'write', out, codec, schemaFile()], digits);
    expect(values(ddia(['avro', 'cat', out]).stdout)).toEqual(rows);
    expect(ddia(['verify', out]).status).toBe(0);
    const anew = directory.path(`anew-${codec}.avro`);
    expect(ddia(['avro', 'recodec', out, '--codec', 'null', '--out', anew]).status).toBe(0);
    expect(values(peer(PYTHON, [SCRIPT, 'rows', anew]))).toEqual(rows);
  });

  it('has the same canonical form', () => {
    const path = schemaFile();
    const theirs = peer(PYTHON, [SCRIPT, 'canonical', path]);
    expect(ddia(['avro', 'canonical', path]).stdout).toBe(theirs);
  });

  it('reads what is left of a container that we repaired', () => {
    const whole = readFileSync(join(root, 'fixtures/avro/ocf/users-null.avro'));
    const hurt = Buffer.from(whole);
    hurt[9000] = hurt[9000]! ^ 0xff;
    const path = directory.path('hurt.avro');
    writeFileSync(path, hurt.subarray(0, 25_000));
    const out = directory.path('repaired');
    expect(ddia(['avro', 'repair', path, '--out', out]).status).toBe(0);
    const kept = values(peer(PYTHON, [SCRIPT, 'rows', `${out}/hurt.avro`]));
    expect(kept.length).toBeGreaterThan(200);
    expect(kept).toEqual(values(ddia(['avro', 'cat', `${out}/hurt.avro`]).stdout));
  });
});

describePeer('Apache Avro for C', () => {
  needs('avrocat', [join(root, 'fixtures/avro/ocf/users-null.avro')], 'avro-bin');
  const directory = workspace();

  it.each(['null', 'deflate', 'snappy'])('reads what we wrote: %s', (codec) => {
    const out = directory.path(`${codec}.avro`);
    const source = 'fixtures/avro/ocf/users-null.avro';
    expect(ddia(['avro', 'recodec', source, '--codec', codec, '--out', out]).status).toBe(0);
    const theirs = values(peer('avrocat', [out])) as { id: number; tags: unknown }[];
    const ours = values(ddia(['avro', 'cat', out]).stdout) as { tags: unknown; score: number }[];
    expect(theirs).toHaveLength(400);
    expect(theirs.map(({ tags }) => tags)).toEqual(ours.map(({ tags }) => tags));
  });
});
