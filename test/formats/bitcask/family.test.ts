import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashV1 } from '../../../src/formats/bitcask/hash-v1/index.ts';
import { bitcask, bitcaskDialects } from '../../../src/formats/bitcask/index.ts';
import { LineWriter } from '../../../src/formats/bitcask/line-writer.ts';
import { parseRecordLine } from '../../../src/formats/bitcask/lines.ts';
import { logV1 } from '../../../src/formats/bitcask/log-v1/index.ts';
import { mergeStore } from '../../../src/formats/bitcask/merge.ts';
import type { BitcaskDialect } from '../../../src/formats/bitcask/model.ts';
import { riak } from '../../../src/formats/bitcask/riak/index.ts';
import { upgradeStore } from '../../../src/formats/bitcask/upgrade.ts';
import { v2 } from '../../../src/formats/bitcask/v2/index.ts';
import { StoreWriter } from '../../../src/formats/bitcask/write.ts';
import { DdiaError } from '../../../src/shared/errors.ts';
import { JsonSink } from '../../../src/ui/json-sink.ts';
import { Output } from '../../../src/ui/output.ts';
import { temporaryDirectory } from '../../cli/run.ts';
import { fixtureFiles, fixtureJson, root } from '../../support/memory.ts';
import {
  contentOf,
  contextOf,
  dumpOf,
  type Files,
  type Line,
  memoryOutput,
  openStore,
  type Put,
  scanOf,
  verify,
  writeStore,
} from '../../support/store.ts';

interface Expected {
  live: Record<string, string | { hex: string }>;
  clean: boolean;
  findings?: string[];
}

const latin1 = (value: string | { hex: string }): string =>
  (typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.hex, 'hex')).toString(
    'latin1',
  );

const TEXTBOOK: [BitcaskDialect, string][] = [
  [hashV1, 'clean'],
  [hashV1, 'merged-with-hint'],
  [hashV1, 'hint-orphan'],
  [hashV1, 'hint-truncated'],
  [hashV1, 'hint-wrong-offset'],
  [logV1, 'clean'],
  [logV1, 'bad-crc'],
];

describe('golden files', () => {
  it.each(TEXTBOOK.map(([dialect, name]) => [dialect.id, name, dialect] as const))(
    '%s %s gives what its expectation says',
    async (id, name, dialect) => {
      const input = openStore(fixtureFiles(`bitcask/${id}/${name}`), dialect);
      const expected = fixtureJson<Expected>(`bitcask/${id}/${name}/expected.json`);
      const live = Object.entries(expected.live).map(([key, value]) => [key, latin1(value)]);
      expect([...(await contentOf(input))]).toEqual(live);
      const result = await verify(input);
      expect(result.clean).toBe(expected.clean);
      const codes = result.findings.filter(({ severity }) => severity !== 'info');
      expect(codes.map(({ code }) => code)).toEqual(expected.findings ?? []);
    },
  );

  it.each(['plain', 'merged'])('riak %s has the content that Bitcask tells', async (name) => {
    const input = openStore(fixtureFiles(`bitcask/riak/${name}`), riak);
    const told = readFileSync(join(root, 'fixtures/bitcask/riak/expected.tsv'), 'latin1');
    const lines = told.split('\n').filter((line) => line !== '');
    const expected = new Map(lines.map((line) => line.split('\t') as [string, string]));
    expect(await contentOf(input)).toEqual(expected);
    expect((await verify(input)).findings).toEqual([]);
  });
});

/** Puts and deletions of few keys, so that most are written more than once. */
const PUTS: Put[] = Array.from({ length: 60 }, (_, i) => {
  const key = `key${(i * 7) % 13}`;
  return i % 6 === 5 ? { key } : { key, value: `value ${i} ${'x'.repeat(i % 9)}` };
});

function expectedOf(puts: readonly Put[]): Map<string, string> {
  const content = new Map<string, string>();
  for (const { key, value } of puts) {
    if (value === undefined) content.delete(String(key));
    else content.set(String(key), Buffer.from(value as string).toString('latin1'));
  }
  return new Map([...content].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const DIALECTS = bitcaskDialects.map((dialect) => [dialect.id, dialect] as const);

describe.each(DIALECTS)('a store of %s', (_, dialect) => {
  const files = writeStore(dialect, PUTS, { fileBytes: 400 });
  const input = openStore(files, dialect);

  it('is clean, has several files, and holds what was put last', async () => {
    expect((await verify(input)).findings).toEqual([]);
    expect(input.files.length).toBeGreaterThan(2);
    expect(await contentOf(input)).toEqual(expectedOf(PUTS));
  });

  it('tells its content by key in byte order, as far as it is asked for', async () => {
    const keys = async (options: object) => (await scanOf(input, options)).map(({ key }) => key);
    const all = [...expectedOf(PUTS).keys()];
    expect(await keys({})).toEqual(all);
    expect(await keys({ reverse: true })).toEqual(all.toReversed());
    expect(await keys({ limit: 2, skip: 1 })).toEqual(all.slice(1, 3));
    expect(await keys({ prefix: Buffer.from('key1') })).toEqual(
      all.filter((key) => key.startsWith('key1')),
    );
    const range = { from: Buffer.from('key2'), to: Buffer.from('key7') };
    expect(await keys(range)).toEqual(all.filter((key) => key >= 'key2' && key < 'key7'));
    expect(await scanOf(input, { keysOnly: true })).toEqual(all.map((key) => ({ key })));
  });

  it('is written again, byte for byte, from its own dump', async () => {
    const { lines } = await dumpOf(input);
    expect(lines).toHaveLength(PUTS.length);
    expect(written(dialect, lines)).toEqual(files);
  });

  it('merges into each dialect without a change of content', async () => {
    for (const [, target] of DIALECTS) {
      const merged: Files = {};
      const options = { storeId: 1n, hints: true, fileBytes: 300, timestamp: 1_700_000_000 };
      const output = memoryOutput(merged);
      const result = await mergeStore(input, target, options, contextOf(input), output);
      const opened = openStore(merged, target);
      expect((await verify(opened)).findings).toEqual([]);
      expect(await contentOf(opened)).toEqual(expectedOf(PUTS));
      expect(result.records).toBe(expectedOf(PUTS).size);
      expect(result.hints).toBe(result.files);
      for (const [name, { length }] of Object.entries(merged)) {
        // The limit is looked at before a record is written: the last one may exceed it.
        if (target.dataFile(name) !== undefined) expect(length).toBeLessThan(300 + 120);
      }
    }
  });

  it('has its live and its dead bytes told', async () => {
    const stat = await bitcask.stat(input, contextOf(input));
    const { lines } = await dumpOf(input);
    const last = new Map(lines.map((line) => [line['key'], line]));
    const live = [...last.values()].filter(({ deleted }) => !deleted);
    const sum = (of: Line[]) => of.reduce((all, { length }) => all + Number(length), 0);
    expect(stat).toMatchObject({
      records: PUTS.length,
      live: live.length,
      liveBytes: sum(live),
      deadBytes: sum(lines) - sum(live),
      deletions: 10,
      damaged: 0,
    });
    const perFile = stat['dataFiles'] as { liveBytes: number; deadBytes: number }[];
    expect(perFile.reduce((all, one) => all + one.liveBytes, 0)).toBe(sum(live));
  });
});

/** A dump's lines through the parser of `write`, into the files that they name. */
function written(dialect: BitcaskDialect, lines: readonly Line[]): Files {
  const files: Files = {};
  const options = { merged: false, storeId: 0x1122_3344_5566_7788n };
  const writer = new StoreWriter(dialect, options, memoryOutput(files));
  const into = new LineWriter(dialect, writer, true);
  lines.forEach((line, index) => {
    const json = Buffer.from(JSON.stringify(line));
    into.line(parseRecordLine(json, index + 1, { timestamp: 0 })!);
  });
  writer.end();
  return files;
}

describe('what is copied into v2', () => {
  it.each(DIALECTS.filter(([id]) => id !== 'v2'))('is all of %s', async (_, dialect) => {
    const input = openStore(writeStore(dialect, PUTS, { fileBytes: 400 }), dialect);
    const files: Files = {};
    const options = { storeId: 7n, timestamp: Number.NaN };
    const result = await upgradeStore(input, v2, options, contextOf(input), memoryOutput(files));
    const output = openStore(files, v2);
    expect(result).toMatchObject({
      records: PUTS.length,
      damage: [],
      unchecked: dialect.unchecked,
    });
    expect((await verify(output)).findings).toEqual([]);
    const what = ({ key, value, deleted }: Line) => ({ key, value, deleted });
    expect((await dumpOf(output)).lines.map(what)).toEqual((await dumpOf(input)).lines.map(what));
    expect(await contentOf(output)).toEqual(expectedOf(PUTS));
  });

  it('tells the damage that was read past', async () => {
    const input = openStore(fixtureFiles('bitcask/log-v1/bad-crc'), logV1);
    const options = { storeId: 7n, timestamp: Number.NaN };
    const { damage } = await upgradeStore(input, v2, options, contextOf(input), memoryOutput({}));
    expect(damage.map(({ code, offset }) => [code, offset])).toEqual([['crc-mismatch', 336]]);
  });

  it('is never a store of v2', async () => {
    const input = openStore(writeStore(v2, PUTS), v2);
    const options = { storeId: 7n, timestamp: 0 };
    await expect(
      upgradeStore(input, v2, options, contextOf(input), memoryOutput({})),
    ).rejects.toThrow('nothing to upgrade');
  });
});

describe('v2', () => {
  it('leaves out of its content what has expired', async () => {
    const puts = [
      { key: 'a', value: '1', expires: 1000 },
      { key: 'b', value: '2', expires: 3000 },
      { key: 'c', value: '3' },
    ];
    const input = openStore(writeStore(v2, puts), v2);
    const keysAt = async (now?: number) => (await scanOf(input, {}, now)).map(({ key }) => key);
    expect(await keysAt()).toEqual(['a', 'b', 'c']);
    expect(await keysAt(1000)).toEqual(['b', 'c']);
    expect(await keysAt(3001)).toEqual(['c']);
  });

  it('goes by numbers, not by places: a merged file may come late and be old', async () => {
    const older = [
      { key: 'a', value: 'old', seq: 1 },
      { key: 'b', value: 'kept', seq: 2 },
    ];
    const files: Files = {};
    const options = { merged: false, storeId: 5n };
    const writer = new StoreWriter(v2, options, memoryOutput(files));
    const put = ({ key, value, seq }: { key: string; value: string; seq: number }) =>
      writer.put({
        ...{ key: Buffer.from(key), value: Buffer.from(value), seq },
        ...{ timestamp: 1, expires: 0, continued: false, unsynced: 0 },
      });
    writer.begin(1, false);
    put({ key: 'a', value: 'new', seq: 9 });
    writer.begin(2, true);
    for (const one of older) put(one);
    writer.end();
    expect(await contentOf(openStore(files, v2))).toEqual(
      new Map([
        ['a', 'new'],
        ['b', 'kept'],
      ]),
    );
  });

  it('groups what was written as one', async () => {
    const puts = [
      { key: 'a', value: '1' },
      { key: 'b', value: '2', continued: true },
      { key: 'a' },
      { key: 'c', value: '3' },
    ];
    const input = openStore(writeStore(v2, puts), v2);
    const { lines } = await dumpOf(input, { batches: true });
    expect(lines.map(({ ops, whole }) => [(ops as Line[]).map(({ key }) => key), whole])).toEqual([
      [['a'], true],
      [['b', 'a'], true],
      [['c'], true],
    ]);
    // And is written as one again.
    const single = (await dumpOf(input)).lines;
    expect(single.map(({ continued }) => continued)).toEqual([
      undefined,
      true,
      undefined,
      undefined,
    ]);
    expect(Object.keys(written(v2, lines))).toEqual(Object.keys(written(v2, single)));
    const again = openStore(written(v2, lines), v2);
    expect((await dumpOf(again)).lines).toEqual(single);
  });
});

describe('lines', () => {
  const directory = temporaryDirectory();

  const parse = (line: unknown) =>
    parseRecordLine(Buffer.from(JSON.stringify(line)), 7, { timestamp: 5 });

  it.each([
    [{ value: 'v' }, '"key" must be'],
    [{ key: 'a' }, 'a deletion says "deleted": true'],
    [{ key: 'a', value: 'b', deleted: true }, 'a deletion has no "value"'],
    [{ key: 'a', deleted: 1 }, '"deleted" must be'],
    [{ key: 'a', value: 'b', seq: -1 }, '"seq" must be'],
    [{ key: 'a', value: 'b', seq: 1.5 }, '"seq" must be'],
    [{ key: 'a', value: 'b', expires: 2 ** 48 }, '"expires" must be'],
    [{ key: 'a', value: 'b', timestamp: 'now' }, '"timestamp" must be'],
    [{ op: 'commit', key: '' }, 'op "commit" has no place in a store'],
    [{ ops: [] }, '"ops" must be'],
    [{ ops: [1] }, 'is no object'],
    [[1], 'expected an object'],
  ])('%j is refused with its number', (line, why) => {
    expect(() => parse(line)).toThrow('line 7: ');
    expect(() => parse(line)).toThrow(why);
  });

  it('that carry no record are passed over', () => {
    expect(parse({ damage: {} })).toBeUndefined();
    expect(parse({ summary: {} })).toBeUndefined();
    expect(parseRecordLine(Buffer.from('  '), 1, { timestamp: 0 })).toBeUndefined();
  });

  it('that no layout can hold are refused with the reason', () => {
    const put = (dialect: BitcaskDialect, one: Put) => () => writeStore(dialect, [one]);
    expect(put(hashV1, { key: 'a', value: '' })).toThrow(DdiaError);
    expect(put(hashV1, { key: 'a', value: '' })).toThrow('an empty value');
    expect(put(logV1, { key: 'a', value: '__BITCASK_TOMBSTONE__' })).toThrow('deletion');
    expect(put(riak, { key: 'a', value: 'bitcask_tombstone' })).toThrow('deletion');
    for (const dialect of [hashV1, logV1, riak]) {
      expect(put(dialect, { key: 'a', value: 'b', expires: 9 })).toThrow(DdiaError);
    }
  });

  it('of any doubles and bytes come back as they were', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 });
    // Steps of a clock, so that nothing looks like damage to a layout without checksums.
    const record = fc.record({
      key: bytes,
      value: bytes,
      step: fc.double({ min: 0, max: 2, noNaN: true }),
    });
    const path = join(directory, 'lines');
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 5 }), async (records) => {
        let timestamp = 1.7e9;
        const puts = records.map(({ key, value, step }) => {
          timestamp += step;
          return { key, value, timestamp };
        });
        const files = writeStore(hashV1, puts);
        const input = openStore(files, hashV1);
        const out = new Output(openSync(path, 'w'));
        const sink = new JsonSink(out, { key: 'auto', value: 'auto', redact: false });
        await bitcask.dump(input, {}, contextOf(input), sink, () => {});
        out.flush();
        closeSync(out.fd);
        const lines = readFileSync(path, 'utf8').trim().split('\n');
        expect(
          written(
            hashV1,
            lines.map((line) => JSON.parse(line) as Line),
          ),
        ).toEqual(files);
      }),
      { numRuns: 200 },
    );
  });
});
