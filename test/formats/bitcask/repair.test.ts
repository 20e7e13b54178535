import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashV1 } from '../../../src/formats/bitcask/hash-v1/index.ts';
import { planHintBuild } from '../../../src/formats/bitcask/hint-build.ts';
import { bitcaskDialects } from '../../../src/formats/bitcask/index.ts';
import { logV1 } from '../../../src/formats/bitcask/log-v1/index.ts';
import { riak } from '../../../src/formats/bitcask/riak/index.ts';
import { v2 } from '../../../src/formats/bitcask/v2/index.ts';
import type { LedgerSpan } from '../../../src/formats/format.ts';
import { fixtureFiles } from '../../support/memory.ts';
import {
  contentOf,
  contextOf,
  dumpOf,
  type Files,
  openStore,
  type Put,
  planOf,
  repaired,
  verify,
  withHints,
  writeParts,
  writeStore,
} from '../../support/store.ts';

/** A directory of fixtures, as plain bytes: those of a result compare equal to them. */
const golden = (name: string): Files =>
  Object.fromEntries(
    Object.entries(fixtureFiles(`bitcask/${name}`)).map(([file, bytes]) => [
      file,
      new Uint8Array(bytes),
    ]),
  );

const DIALECTS = bitcaskDialects.map((dialect) => [dialect.id, dialect] as const);

/** A copy with bytes changed in one file. */
function hit(files: Files, name: string, change: (bytes: Uint8Array) => void): Files {
  const bytes = files[name]!.slice();
  change(bytes);
  return { ...files, [name]: bytes };
}

/** Ruins what stands at `offset` beyond any explanation by a flipped bit. */
const ruin = (files: Files, name: string, offset: number, length: number): Files =>
  hit(files, name, (bytes) => bytes.fill(0xa5, offset, offset + length));

const dropped = (ledger: readonly LedgerSpan[]) =>
  ledger.filter(({ fate }) => fate === 'dropped').map(({ file, code }) => `${file} ${code}`);

describe('hint files', () => {
  it.each(['hint-truncated', 'hint-wrong-offset'])(
    'that are wrong are built anew, as they were: %s',
    async (name) => {
      const files = golden(`hash-v1/${name}`);
      const { plan, files: result } = await repaired(openStore(files, hashV1));
      expect(result).toEqual(golden('hash-v1/merged-with-hint'));
      expect(plan.consequences).toEqual([]);
      expect(plan.rewrite).toEqual(['000003.hint']);
    },
  );

  it('of data files that are gone are set aside', async () => {
    const files = golden('hash-v1/hint-orphan');
    const { plan, files: result } = await repaired(openStore(files, hashV1));
    expect(dropped(plan.ledger)).toEqual(['000002.hint hint-orphan']);
    expect(plan.remove).toEqual(['000002.hint']);
    expect(Object.keys(result).sort()).toEqual(['000003.data', '000003.hint']);
  });

  it('of no bytes at all are built anew, or set aside', async () => {
    const files = golden('hash-v1/merged-with-hint');
    const empty = { ...files, '000003.hint': new Uint8Array(0), '000002.hint': new Uint8Array(0) };
    const { files: result } = await repaired(openStore(empty, hashV1));
    expect(result).toEqual(files);
  });

  it('are taken away before the data changes that they tell of', async () => {
    const puts = Array.from({ length: 12 }, (_, i) => ({ key: `key${i}`, value: `value ${i}` }));
    const files = await withHints(writeStore(logV1, puts, { fileBytes: 200 }), logV1);
    const damaged = ruin(files, 'segment_000001.dat', 40, 10);
    const { plan, files: result } = await repaired(openStore(damaged, logV1));
    expect(plan.remove).toEqual(['segment_000001.hint']);
    expect(plan.rewrite).toEqual(['segment_000001.hint']);
    expect((await verify(openStore(result, logV1))).findings).toEqual([]);
  });

  it('without deletions tell of no key that a later file deletes', async () => {
    const first = writeStore(hashV1, [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]);
    const second = writeStore(hashV1, [{ key: 'a' }, { key: 'c', value: '3' }], { firstFile: 2 });
    const third = writeStore(hashV1, [{ key: 'd', value: '4' }], { firstFile: 3 });
    const files = await withHints({ ...first, ...second, ...third }, hashV1);
    const input = openStore(files, hashV1);
    const entries: string[] = [];
    for (const name of ['000001.hint', '000002.hint']) {
      const source = input.set.open(name);
      await hashV1.scanHint(source, contextOf(input), {
        entry: ({ bytes, keyStart, keyEnd }) =>
          void entries.push(`${name} ${Buffer.from(bytes.slice(keyStart, keyEnd))}`),
        damage() {},
      });
    }
    // A reader that goes by hints alone must not bring "a" back.
    expect(entries).toEqual(['000001.hint b', '000002.hint c']);
  });

  it.each(DIALECTS)('of %s that are there already need not be built', async (_, dialect) => {
    const puts = Array.from({ length: 12 }, (_x, i) => ({ key: `key${i}`, value: `value ${i}` }));
    const bare = writeStore(dialect, puts, { fileBytes: 200 });
    const files = await withHints(bare, dialect);
    const plan = async (some: Files, all: boolean) => {
      const input = openStore(some, dialect);
      return (await planHintBuild(input, { all }, contextOf(input))).built;
    };
    const sealed = Object.keys(bare)
      .filter((name) => dialect.dataFile(name) !== undefined)
      .map((name) => dialect.hintName(dialect.dataFile(name)!));
    expect(await plan(files, false)).toEqual([]);
    expect(await plan(files, true)).toEqual(sealed);
    if (dialect !== v2) expect(await plan(bare, false)).toEqual(sealed.slice(0, -1));
  });
});

/** What is said of keys. */
const ofKeys = (consequences: readonly string[]) =>
  consequences.filter((one) => one.startsWith('key ')).sort();

describe('what a loss means', () => {
  it('is a key that is gone, where it had one record', async () => {
    const input = openStore(golden('log-v1/bad-crc'), logV1);
    const { plan, files } = await repaired(input);
    expect(plan.consequences).toEqual([
      'key "key10": is gone: no other record of it is left',
      '1 of the lost records can be made whole: their damage has one explanation, see --mend',
    ]);
    expect((await verify(openStore(files, logV1))).clean).toBe(true);
  });

  it('is nothing with --mend', async () => {
    const { plan, files } = await repaired(openStore(golden('log-v1/bad-crc'), logV1), true);
    expect(plan.consequences).toEqual([]);
    expect(files).toEqual(golden('log-v1/clean'));
  });

  it.each([hashV1, riak, v2].map((dialect) => [dialect.id, dialect] as const))(
    'is told of each key that a hint of %s knows',
    async (_, dialect) => {
      const old: Put[] = [
        { key: 'falls', value: 'old' },
        { key: 'dead', value: 'old' },
        { key: 'same', value: 'old' },
      ];
      const lost: Put[] = [
        { key: 'falls', value: 'lost' },
        { key: 'gone', value: 'lost' },
        { key: 'dead' },
        { key: 'same', value: 'lost' },
      ];
      const late: Put[] = [
        { key: 'same', value: 'new' },
        { key: 'other', value: 'x' },
      ];
      const files = await withHints(writeParts(dialect, old, lost, late), dialect);
      expect((await verify(openStore(files, dialect))).clean).toBe(true);
      const { lines } = await dumpOf(openStore(files, dialect));
      const second = lines.filter(({ file }) => file === dialect.dataName(2));
      const [from] = second.map(({ offset }) => Number(offset));
      const end = files[dialect.dataName(2)]!.length;
      const damaged = ruin(files, dialect.dataName(2), from!, end - from!);
      const plan = await planOf(openStore(damaged, dialect));
      const place = (key: string) => {
        const { file, offset } = lines.find((line) => line['key'] === key)!;
        return `${file} @ ${offset}`;
      };
      const expected = [
        `key "falls": falls back to the value of ${place('falls')}`,
        'key "gone": is gone: no other record of it is left',
      ];
      // The textbook's hints tell of no deletion.
      if (dialect.hints.deletions) {
        expected.push(`key "dead": comes back from the dead with the value of ${place('dead')}`);
        // Nor of what a later file has anew.
        expect(plan.consequences.join()).toContain('1 lost record was of no more use');
      }
      expect(ofKeys(plan.consequences)).toEqual(expected.sort());
    },
  );

  it('is told of the last of several lost records of a key', async () => {
    const puts: Put[] = [
      { key: 'a', value: 'first' },
      { key: 'a' },
      { key: 'a', value: 'third' },
      { key: 'b', value: 'x' },
    ];
    const files = await withHints(
      writeParts(riak, puts.slice(0, 1), puts.slice(1, 3), puts.slice(3)),
      riak,
    );
    const name = riak.dataName(2);
    const damaged = ruin(files, name, 0, files[name]!.length);
    const { consequences } = await planOf(openStore(damaged, riak));
    expect(ofKeys(consequences)).toEqual([
      'key "a": falls back to the value of 1.bitcask.data @ 0',
    ]);
  });

  it('is told for a data file that is not there any more', async () => {
    const puts: Put[] = [
      { key: 'a', value: 'old' },
      { key: 'a', value: 'new' },
      { key: 'b', value: 'only' },
      { key: 'c', value: 'x' },
    ];
    const files = await withHints(
      writeParts(hashV1, puts.slice(0, 1), puts.slice(1, 3), puts.slice(3)),
      hashV1,
    );
    const { '000002.data': _, ...rest } = files;
    const { plan, files: result } = await repaired(openStore(rest, hashV1));
    expect(plan.consequences).toEqual([
      'key "a": falls back to the value of 000001.data @ 0',
      'key "b": is gone: no other record of it is left',
    ]);
    // The hint of the first file said nothing of "a", which counts again.
    expect((await verify(openStore(result, hashV1))).clean).toBe(true);
  });

  it('of a data file that is repaired alone names the hint beside it', async () => {
    const files = await withHints(
      writeParts(logV1, [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ]),
      logV1,
      true,
    );
    const damaged = ruin(files, 'segment_000001.dat', 2, 8);
    const whole = openStore(damaged, logV1);
    const alone = whole.set.files.filter(({ name }) => name.endsWith('.dat'));
    const set = { ...whole.set, isDirectory: false, files: alone };
    const { consequences } = await planOf({ ...whole, set, files: alone });
    expect(consequences.join('\n')).toContain('segment_000001.hint beside it tells of');
  });
});

/** Findings that stay, since there is nothing to drop: the record is read all the same. */
const STAYS = /nothing to drop/;

describe('whatever is damaged', () => {
  const puts = fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
      value: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }),
    }),
    { minLength: 10, maxLength: 50 },
  );
  const damage = fc.array(
    fc.record({
      file: fc.nat(),
      at: fc.nat(9999).map((n) => n / 10_000),
      bytes: fc.oneof(fc.constant(undefined), fc.uint8Array({ maxLength: 40 })),
      bit: fc.nat(7),
      how: fc.constantFrom('flip', 'cut', 'fill', 'remove', 'insert', 'delete'),
    }),
    { minLength: 1, maxLength: 3 },
  );
  type Damage = typeof damage extends fc.Arbitrary<infer D> ? D : never;

  function damaged(files: Files, all: Damage): Files {
    const result = { ...files };
    for (const { file, at, bytes = new Uint8Array(20), bit, how } of all) {
      const names = Object.keys(result);
      const name = names[file % names.length]!;
      const old = result[name]!;
      const offset = Math.floor(at * old.length);
      const [front, back] = [old.subarray(0, offset), old.subarray(offset)];
      const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
      if (how === 'delete' && names.length > 1) delete result[name];
      else if (how === 'cut') result[name] = front.slice();
      else if (how === 'fill') result[name] = join(front, bytes, back.subarray(bytes.length));
      else if (how === 'remove') result[name] = join(front, back.subarray(bytes.length));
      else if (how === 'insert') result[name] = join(front, bytes, back);
      else if (old.length > 0) {
        result[name] = old.slice();
        result[name][offset]! ^= 1 << bit;
      }
    }
    return result;
  }

  it.each(DIALECTS)('a repair of %s keeps what could be read, and is clean', async (_, dialect) => {
    await fc.assert(
      fc.asyncProperty(puts, fc.boolean(), damage, fc.boolean(), async (all, hints, how, mend) => {
        const bare = writeStore(dialect, all, { fileBytes: 250 });
        const files = damaged(hints ? await withHints(bare, dialect) : bare, how);
        const input = openStore(files, dialect);
        if (!input.files.some(({ name }) => dialect.dataFile(name) !== undefined)) return;
        const before = await contentOf(input);
        const { plan, files: result } = await repaired(input, mend);
        const output = openStore(result, dialect);
        const left = (await verify(output)).findings.filter(
          ({ severity, repair = '' }) => severity !== 'info' && !STAYS.test(repair),
        );
        expect(left).toEqual([]);
        if (!mend) expect(await contentOf(output)).toEqual(before);
        const size = input.files.reduce((sum, file) => sum + (file.size ?? 0), 0);
        expect(plan.ledger.reduce((sum, { length }) => sum + length, 0)).toBe(size);
      }),
      { numRuns: 150 },
    );
  });
});
