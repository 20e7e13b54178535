import {
  closeSync,
  ftruncateSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStep } from '../../src/cli/mutation-flags.ts';
import { MUTATION_KINDS, type Mutation, mutate } from '../../src/formats/mutate/mutation.ts';
import { Pieces } from '../../src/formats/mutate/pieces.ts';
import { randomMutation } from '../../src/formats/mutate/random-mutation.ts';
import { Random } from '../../src/shared/random.ts';
import {
  ddia,
  type ErrorAnswer,
  fixturesStayTheSame,
  hashOf,
  json,
  root,
  temporaryDirectory,
} from './run.ts';

fixturesStayTheSame();
const directory = temporaryDirectory();
const INPUT = 'fixtures/wal/v1/clean/000001.wal';
const input = readFileSync(join(root, INPUT));

function piecesOf(bytes: Uint8Array): Pieces {
  return new Pieces(bytes.length, (target, start, length, position) => {
    target.set(bytes.subarray(position, position + length), start);
  });
}

const textOf = (pieces: Pieces): string =>
  Buffer.from(pieces.bytes(0, pieces.size, pieces.size)).toString('latin1');

/** What the mutations make of `text`. */
function mutated(text: string, ...mutations: Mutation[]): string {
  const pieces = piecesOf(Buffer.from(text, 'latin1'));
  const random = new Random(1);
  for (const mutation of mutations) mutate(pieces, mutation, random);
  return textOf(pieces);
}

describe('a mutation', () => {
  const bytes = Buffer.from('!');
  it.each<[string, string, Mutation[]]>([
    ['flips a bit', 'abcdeg', [{ kind: 'flip', offset: 5, bit: 0 }]],
    ['zeros', 'a\0\0def', [{ kind: 'zero', offset: 1, length: 2 }]],
    ['cuts', 'abc', [{ kind: 'truncate', size: 3 }]],
    ['swaps', 'efcdab', [{ kind: 'swap-pages', a: 2, b: 0, pageSize: 2 }]],
    ['leaves a page where it is', 'abcdef', [{ kind: 'swap-pages', a: 1, b: 1, pageSize: 2 }]],
    ['repeats', 'abcbcdef', [{ kind: 'duplicate', offset: 1, length: 2 }]],
    ['inserts', 'abcdef!', [{ kind: 'insert', offset: 6, bytes }]],
    [
      'works on what the one before left',
      '!a\0\0e',
      [
        { kind: 'zero', offset: 1, length: 3 },
        { kind: 'insert', offset: 0, bytes },
        { kind: 'swap-pages', a: 2, b: 1, pageSize: 2 },
        { kind: 'swap-pages', a: 2, b: 1, pageSize: 2 },
        { kind: 'truncate', size: 6 },
        { kind: 'duplicate', offset: 5, length: 1 },
        { kind: 'truncate', size: 6 },
        { kind: 'swap-pages', a: 3, b: 4, pageSize: 1 },
        { kind: 'truncate', size: 4 },
        { kind: 'insert', offset: 4, bytes: Buffer.from('e') },
      ],
    ],
  ])('%s', (_, expected, mutations) => expect(mutated('abcdef', ...mutations)).toBe(expected));

  it('tells what was there and what is', () => {
    const pieces = piecesOf(new Uint8Array(200).fill(7));
    const done = mutate(pieces, { kind: 'zero', offset: 10, length: 100 }, new Random(1));
    expect(done).toEqual({
      kind: 'zero',
      offset: 10,
      length: 100,
      before: '07'.repeat(64),
      after: '00'.repeat(64),
    });
  });

  it.each<Mutation>([
    { kind: 'flip', offset: 6 },
    { kind: 'zero', offset: 5, length: 2 },
    { kind: 'truncate', size: 7 },
    { kind: 'swap-pages', a: 0, b: 1, pageSize: 4 },
    { kind: 'insert', offset: 7, bytes },
  ])('refuses %j on six bytes', (mutation) => {
    expect(() => mutated('abcdef', mutation)).toThrow(/the file has 6/);
  });
});

describe('the row of pieces', () => {
  it('holds the same bytes as a plain array would, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(), (bytes, seed) => {
        const pieces = piecesOf(bytes);
        let plain = Buffer.from(bytes).toString('latin1');
        const random = new Random(seed);
        for (let i = 0; i < 8; i++) {
          const chosen = randomMutation(random, MUTATION_KINDS, pieces.size, 4);
          const done = mutate(pieces, chosen, random);
          plain = replay(plain, done);
          expect(textOf(pieces)).toBe(plain);
        }
        const chunks = [...pieces.chunks(new Uint8Array(3))].map((chunk) => Buffer.from(chunk));
        expect(Buffer.concat(chunks).length).toBe(pieces.size);
      }),
      { numRuns: 300 },
    );
  });
});

/** Does again, to a string, what was told of a mutation of less than 64 bytes. */
function replay(text: string, done: ReturnType<typeof mutate>): string {
  const { kind, offset, length, otherOffset } = done;
  const bytes = (hex: string) => Buffer.from(hex, 'hex').toString('latin1');
  if (otherOffset !== undefined) {
    const [first, second] = [offset, otherOffset].map((at) => text.slice(at, at + length));
    const middle = text.slice(offset + length, otherOffset);
    return text.slice(0, offset) + second + middle + first + text.slice(otherOffset + length);
  }
  const removed = kind === 'insert' || kind === 'duplicate' ? 0 : length;
  const added = kind === 'duplicate' ? text.slice(offset - length, offset) : bytes(done.after);
  return text.slice(0, offset) + added + text.slice(offset + removed);
}

describe('the flags', () => {
  it.each([
    ['flip', '0x10:7', { kind: 'flip', offset: 16, bit: 7 }],
    ['swap-pages', '3:4', { kind: 'swap-pages', a: 3, b: 4, pageSize: 512 }],
    ['insert', '4:00ff', { kind: 'insert', offset: 4, bytes: Buffer.from([0, 255]) }],
    ['random', '3:flip,zero', { kind: 'random', count: 3, kinds: ['flip', 'zero'] }],
  ])('--%s %s', (flag, text, step) => expect(parseStep(flag, text, 512)).toEqual(step));

  it.each([
    ['flip', '1:8'],
    ['flip', ':1'],
    ['zero', '1'],
    ['zero', '1:0'],
    ['truncate', '-1'],
    ['insert', '1:'],
    ['insert', '1:0'],
    ['random', '0'],
    ['random', '3:frob'],
    ['random', '100000'],
  ])('--%s %s is refused', (flag, text) => {
    expect(() => parseStep(flag, text, 512)).toThrow(expect.objectContaining({ exit: 2 }));
  });
});

describe('mutate', () => {
  it('does what is asked, in order, and says so', () => {
    const out = join(directory, 'one.wal');
    const flags = ['--zero', '124:4', '--flip', '250:3', '--truncate', '400', '--out', out];
    const ran = ddia(['mutate', INPUT, ...flags]);
    expect(ran).toEqual({
      status: 0,
      stdout: `MUTATION    OFFSET  LENGTH  BEFORE                             AFTER
zero        124     4       016dd8dd                           00000000
flip bit 3  250     1       00                                 08
truncate    400     19      177d784fca6be50ce632705505496ac4…  -
${out}: 400 bytes, from 419 of ${INPUT}; seed 1
`,
      stderr: '',
    });
    const expected = Buffer.from(input.subarray(0, 400));
    expected.fill(0, 124, 128);
    expected[250]! ^= 8;
    expect(readFileSync(out)).toEqual(expected);
  });

  it('makes the same damage with the same seed, and other damage with another', () => {
    const run = (seed: string): string => {
      const out = join(directory, `random-${seed}.wal`);
      const flags = ['--random', '5', '--garbage', '3:9', '--seed', seed, '--force', '--out', out];
      const { mutations } = json<{ mutations: unknown[] }>(
        ddia(['mutate', INPUT, '--json', ...flags]),
      );
      expect(mutations).toHaveLength(6);
      return readFileSync(out, 'hex');
    };
    const first = run('7');
    expect(run('7')).toBe(first);
    expect(run('8')).not.toBe(first);
  });

  it('streams a large file', () => {
    const large = join(directory, 'large');
    const fd = openSync(large, 'w+');
    ftruncateSync(fd, 64 * 1024 ** 2);
    closeSync(fd);
    const out = join(directory, 'large.out');
    const flags = ['--flip', '0x2000000:0', '--insert', '0:ff', '--out', out];
    expect(ddia(['mutate', large, ...flags]).status).toBe(0);
    expect(statSync(out).size).toBe(64 * 1024 ** 2 + 1);
    const byte = Buffer.alloc(1);
    const written = openSync(out, 'r');
    readSync(written, byte, 0, 1, 0x2000001);
    closeSync(written);
    expect(byte[0]).toBe(1);
  });

  it('never overwrites the input, nor anything else unasked, and leaves nothing half done', () => {
    const own = join(directory, 'own.wal');
    writeFileSync(own, input);
    const link = join(directory, 'link.wal');
    linkSync(own, link);
    const there = readdirSync(directory);
    const before = hashOf(directory);
    const refused = (...args: string[]) => {
      const ran = ddia(['mutate', ...args, '--json']);
      return `${ran.status} ${json<ErrorAnswer>(ran).error.code}`;
    };
    expect(refused(own, '--flip', '0:0', '--out', link, '--force')).toBe('3 same-file');
    expect(refused(own, '--flip', '0:0', '--out', join(directory, 'one.wal'))).toBe('3 exists');
    expect(refused(own, '--flip', '999:0', '--out', join(directory, 'x'))).toBe('3 out-of-range');
    expect(refused(own, '--out', join(directory, 'x'))).toBe('2 usage');
    expect(refused(own, '--swap-pages', '0:1', '--out', join(directory, 'x'))).toBe('2 usage');
    expect(refused(directory, '--flip', '0', '--out', join(directory, 'x'))).toBe('3 not-a-file');
    expect(refused(join(directory, 'no'), '--flip', '0', '--out', 'x')).toBe('3 not-found');
    expect(refused(own, '--flip', '0', '--out', join(directory, 'no/x'))).toBe('3 not-found');
    expect(readdirSync(directory)).toEqual(there);
    expect(hashOf(directory)).toBe(before);
  });
});
