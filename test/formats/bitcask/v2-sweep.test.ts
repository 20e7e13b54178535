/**
 * The promise of the hardened layouts, held to the bit: whatever one bit, byte, record or file of a
 * closed store is changed, verify tells; and what is not concerned is read as it was.
 */
import { describe, expect, it } from 'vitest';
import { dataName, hintName, MANIFEST_NAME } from '../../../src/formats/bitcask/v2/layout.ts';
import { concat } from '../../support/memory.ts';
import {
  codesOf,
  cutOut,
  type Files,
  flipped,
  put,
  reopened,
  scan,
  store,
  verify,
  withFile,
} from './v2-store.ts';

const ONE = dataName(1);
const TWO = dataName(2);

const first = [
  put(1, 'a', '1'),
  put(2, 'b', 'xx', { continued: true }),
  put(3, '', '', { continued: true }),
  put(4, 'a', undefined),
  put(5, 'c', 'v', { expires: 5e12 }),
];
const copies = [put(3, 'k', 'copied'), put(1, 'l', '')];
const second = [put(6, 'c', 'one'), put(7, 'b', 'three')];
/** A written file, a merged one, and another written one. */
const files = store([first, copies, second], { merged: [1] });
const names = Object.keys(files);

const sizeOf = (name: string) => files[name]!.length;

it('the store that is changed below is clean', async () => {
  expect(names.sort()).toEqual([
    ...[1, 2, 3].flatMap((number) => [dataName(number), hintName(number)]).sort(),
    MANIFEST_NAME,
  ]);
  expect(await verify(files)).toMatchObject({ clean: true, stats: { files: 3, records: 9 } });
});

describe.each(names)('%s', (name) => {
  it('with any bit flipped', async () => {
    for (let bit = 0; bit < sizeOf(name) * 8; bit++) {
      const { verdict } = await verify(withFile(files, name, flipped(files[name]!, bit)));
      expect(verdict, `bit ${bit & 7} of the byte at ${bit >>> 3}`).toBe('damaged');
    }
  });

  it('cut off at any length', async () => {
    for (let length = 0; length < sizeOf(name); length++) {
      const { verdict } = await verify(withFile(files, name, files[name]!.slice(0, length)));
      expect(verdict, `${length} bytes`).toBe('damaged');
    }
  });

  it('with bytes behind its end', async () => {
    for (const more of [new Uint8Array(1), new Uint8Array(64), files[name]!.slice(-50)]) {
      const longer = withFile(files, name, concat([files[name]!, more]));
      expect((await verify(longer)).verdict).toBe('damaged');
    }
  });

  it('without bytes anywhere', async () => {
    for (let from = 0; from < sizeOf(name); from++) {
      for (const length of [1, 50]) {
        const cut = cutOut(files[name]!, from, from + length);
        const { verdict } = await verify(withFile(files, name, cut));
        expect(verdict, `${length} bytes at ${from}`).toBe('damaged');
      }
    }
  });

  it('gone', async () => {
    const { [name]: _, ...rest } = files;
    const code = name === MANIFEST_NAME ? 'bad-manifest' : 'missing-file';
    const { findings, verdict } = await verify(rest);
    expect(verdict).toBe('damaged');
    expect(findings.find(({ file }) => file === name)).toMatchObject({ code });
  });
});

describe('files in one another’s place', () => {
  it.each([
    [ONE, dataName(3)],
    [ONE, TWO],
    [hintName(1), hintName(3)],
    [ONE, hintName(1)],
    [MANIFEST_NAME, ONE],
  ])('%s and %s', async (a, b) => {
    const swapped = { ...files, [a]: files[b]!, [b]: files[a]! };
    expect((await verify(swapped)).verdict).toBe('damaged');
  });

  it('of another store with the same content', async () => {
    const other = store([first, copies, second], { merged: [1], storeId: 5n });
    for (const name of names) {
      expect(other[name]!.length).toBe(sizeOf(name));
      const { verdict } = await verify(withFile(files, name, other[name]!));
      expect(verdict, name).toBe('damaged');
    }
  });
});

describe('an older version of a file', () => {
  // The same store at some time before: its second file had just been begun.
  const earlier = store([first, second.slice(0, 1)]);
  const later = store([first, second]);

  it('is told, whichever it is', async () => {
    const told: Record<string, string[]> = {};
    for (const name of [TWO, hintName(2), MANIFEST_NAME]) {
      told[name] = await codesOf(withFile(later, name, earlier[name]!));
    }
    expect(told).toEqual({
      [TWO]: ['hint-mismatch', 'manifest-mismatch'],
      [hintName(2)]: ['hint-mismatch'],
      [MANIFEST_NAME]: ['hint-mismatch', 'manifest-mismatch'],
    });
  });

  it('is told of a manifest from before a file', async () => {
    const before = store([first]);
    const stale = withFile(later, MANIFEST_NAME, before[MANIFEST_NAME]!);
    expect(await codesOf(stale)).toEqual(['bad-manifest']);
    const { findings } = await verify(stale);
    expect(findings.find(({ code }) => code === 'bad-manifest')!.message).toMatch(
      /^it is older than the files: 000002\.bcd holds records/,
    );
  });
});

describe('a record', () => {
  const places = async (from: Files, name: string) => (await scan(from, { name })).records;

  it('copied anywhere is not told as a record there', async () => {
    const records = await places(files, ONE);
    for (const { offset, length } of records) {
      const copied = files[ONE]!.subarray(offset, offset + length);
      for (const name of [ONE, TWO, dataName(3)]) {
        for (let at = 64; at + length <= sizeOf(name); at++) {
          if (name === ONE && at === offset) continue;
          const bytes = files[name]!.slice();
          bytes.set(copied, at);
          const { records: told, damage } = await scan(withFile(files, name, bytes), { name });
          expect(damage.length, `${name} at ${at}`).toBeGreaterThan(0);
          expect(told.every((one) => one.offset !== at || one.length !== length)).toBe(true);
        }
      }
    }
  });

  it('taken out is missed, and those behind it are told', async () => {
    for (const { offset, length, seq } of await places(files, dataName(3))) {
      const name = dataName(3);
      const without = withFile(files, name, cutOut(files[name]!, offset, offset + length));
      const { records } = await scan(without, { name });
      expect(records.map((one) => one.seq)).toEqual([6, 7].filter((one) => one !== seq));
      expect((await verify(without)).verdict).toBe('damaged');
    }
  });

  it('in another order is missed, wherever it is', async () => {
    const name = dataName(3);
    const [a, b] = await places(files, name);
    const bytes = files[name]!;
    const turned = concat([
      bytes.slice(0, a!.offset),
      bytes.slice(b!.offset, b!.offset + b!.length),
      bytes.slice(a!.offset, a!.offset + a!.length),
      bytes.slice(b!.offset + b!.length),
    ]);
    expect((await verify(withFile(files, name, turned))).verdict).toBe('damaged');
  });
});

describe('a store that was not closed', () => {
  const open = reopened(files);
  const name = dataName(3);

  it('is clean as it is, and torn when its last file is cut within a record', async () => {
    expect((await verify(open)).verdict).toBe('clean');
    const ends = [
      64,
      ...(await scan(open, { name })).records.map((one) => one.offset + one.length),
    ];
    for (let length = 64; length < sizeOf(name); length++) {
      const { verdict } = await verify(withFile(open, name, files[name]!.slice(0, length)));
      expect(verdict, `${length}`).toBe(ends.includes(length) ? 'clean' : 'torn-tail');
    }
  });

  it('is damaged when any other file is cut', async () => {
    for (let length = 0; length < sizeOf(ONE); length++) {
      const { verdict } = await verify(withFile(open, ONE, files[ONE]!.slice(0, length)));
      expect(verdict, `${length}`).toBe('damaged');
    }
  });

  it('has each flipped bit told, those of its last record as a torn tail with a diagnosis', async () => {
    for (let bit = 0; bit < sizeOf(name) * 8; bit++) {
      const { clean, findings } = await verify(withFile(open, name, flipped(files[name]!, bit)));
      expect(clean, `bit ${bit}`).toBe(false);
      expect(
        findings.some(({ diagnosis }) => diagnosis !== undefined),
        `bit ${bit}`,
      ).toBe(true);
    }
  });
});
