import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bitcask } from '../../../src/formats/bitcask/index.ts';
import { v2 } from '../../../src/formats/bitcask/v2/index.ts';
import { dataName, hintName, MANIFEST_NAME } from '../../../src/formats/bitcask/v2/layout.ts';
import { encodeManifest } from '../../../src/formats/bitcask/v2/manifest.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import { identify } from '../../../src/formats/detect.ts';
import { DEFAULT_LIMITS, type Span } from '../../../src/formats/format.ts';
import { MemorySource, memorySet, root } from '../../support/memory.ts';
import {
  codesOf,
  type Files,
  flipped,
  manifestIn,
  put,
  reopened,
  STORE,
  scanHint,
  store,
  verify,
  withFile,
} from './v2-store.ts';

const ONE = dataName(1);
const first = [put(1, 'a', '1'), put(2, 'b', '2'), put(3, 'a', undefined), put(4, 'c', '')];
const second = [put(5, 'd', '5'), put(6, 'a', '6', { expires: 9e12 })];
const files = store([first, second]);

const found = async (given: Files) => (await verify(given)).findings;
const withManifest = (change: (manifest: ReturnType<typeof manifestIn>) => void): Files => {
  const manifest = manifestIn(files);
  change(manifest);
  return withFile(files, MANIFEST_NAME, encodeManifest(manifest));
};

describe('what the writer makes', () => {
  it('is a closed store, with all that is known of it in the manifest', () => {
    expect(manifestIn(files)).toMatchObject({
      ...{ storeId: STORE, generation: 1n, nextSeq: 7, nextFile: 3, closed: true },
      files: [
        { file: 1, sealed: true, merged: false, hint: true, records: 4, seqFirst: 1, seqLast: 4 },
        { file: 2, sealed: true, merged: false, hint: true, records: 2, seqFirst: 5, seqLast: 6 },
      ],
    });
    for (const { file, dataBytes } of manifestIn(files).files) {
      expect(dataBytes).toBe(files[dataName(file)]!.length);
    }
  });

  it('has a hint for the newest record of each key, deletions included', async () => {
    const { entries, damage } = await scanHint(files);
    expect(damage).toEqual([]);
    expect(entries.map(({ key, seq, deleted, dataFile }) => [key, seq, deleted, dataFile])).toEqual(
      [
        ['b', 2, false, 1],
        ['a', 3, true, 1],
        ['c', 4, false, 1],
      ],
    );
    const later = await scanHint(files, { name: hintName(2) });
    expect(later.entries.map(({ expires }) => expires)).toEqual([0, 9e12]);
  });

  it('can be empty', async () => {
    const empty = store([[]]);
    expect(manifestIn(empty)).toMatchObject({
      nextSeq: 1,
      files: [{ records: 0, seqFirst: 0, seqLast: 0, dataBytes: 64 }],
    });
    expect((await verify(empty)).clean).toBe(true);
    expect(await scanHint(empty)).toEqual({ entries: [], damage: [] });
  });
});

describe('the manifest against the files', () => {
  it('misses a data file, and says what it held', async () => {
    const { [ONE]: _, [hintName(1)]: __, ...rest } = files;
    expect(await found(rest)).toMatchObject([
      {
        code: 'missing-file',
        severity: 'error',
        file: ONE,
        message: expect.stringContaining('it held 4 records, numbers 1 to 4'),
      },
    ]);
  });

  it('misses a hint file, which costs nothing', async () => {
    const { [hintName(2)]: _, ...rest } = files;
    expect(await found(rest)).toMatchObject([
      { code: 'missing-file', severity: 'warning', file: hintName(2) },
    ]);
  });

  it('knows sizes, counts and numbers', async () => {
    const only = async (change: Parameters<typeof withManifest>[0]) => {
      const findings = await found(withManifest(change));
      expect(findings).toMatchObject([{ code: 'manifest-mismatch', severity: 'error' }]);
      return findings[0]!.message;
    };
    const size = files[ONE]!.length;
    expect(await only(({ files: [one] }) => Object.assign(one!, { records: 5 }))).toBe(
      'not as the manifest says: records 4, 5 in the manifest',
    );
    expect(await only(({ files: [one] }) => Object.assign(one!, { seqFirst: 2 }))).toContain(
      'lowest number 1, 2 in the manifest',
    );
    expect(await only(({ files: [one] }) => Object.assign(one!, { seqLast: 5 }))).toContain(
      'highest number 4, 5 in the manifest',
    );
    expect(
      await only(({ files: [one] }) => Object.assign(one!, { dataBytes: size + 9 })),
    ).toContain(`${size} bytes, ${size + 9} in the manifest: 9 bytes are missing at its end`);
    expect(await only((manifest) => Object.assign(manifest, { nextSeq: 6 }))).toContain(
      'number 6, and none from 6 on was given',
    );
    expect(await only(({ files: [one] }) => Object.assign(one!, { dataCrc: 7 }))).toMatch(
      /^not the file that the manifest names: the crc of its header is [0-9a-f]{8}, 00000007 in/,
    );
  });

  it('knows which version of a hint file is meant', async () => {
    const findings = await found(
      withManifest(({ files: [one] }) => Object.assign(one!, { hintCrc: 7 })),
    );
    expect(findings).toMatchObject([{ code: 'hint-mismatch', file: hintName(1), length: 64 }]);
  });

  it('names what a crash left over, and no more than that', async () => {
    const merged = store([[put(9, 'x', 'y')]], { firstFile: 7, merged: [0] });
    const left = {
      ...files,
      [dataName(7)]: merged[dataName(7)]!,
      [hintName(7)]: merged[hintName(7)]!,
      '.MANIFEST.bitcask2.tmp-12-0': new Uint8Array(3),
    };
    const result = await verify(left);
    expect(result).toMatchObject({ verdict: 'torn-tail', counts: { 'leftover-file': 3 } });
    expect(result.stats).toMatchObject({ files: 2, records: 6 });
    expect(result.findings.map(({ file }) => file).sort()).toEqual([
      '.MANIFEST.bitcask2.tmp-12-0',
      dataName(7),
      hintName(7),
    ]);
  });

  it('takes a hint file that is not named yet for a leftover', async () => {
    const unnamed = withManifest(({ files: [one] }) =>
      Object.assign(one!, { hint: false, hintCrc: 0 }),
    );
    expect(await codesOf(unnamed)).toEqual(['leftover-file']);
  });

  it('is missed itself, and its data files are read', async () => {
    const { [MANIFEST_NAME]: _, ...rest } = files;
    const result = await verify(rest);
    expect(result.stats).toMatchObject({ records: 6 });
    expect(result.findings).toMatchObject([{ code: 'bad-manifest', file: MANIFEST_NAME }]);
    const hit = await verify(withFile(files, MANIFEST_NAME, flipped(files[MANIFEST_NAME]!, 900)));
    expect(hit.stats).toMatchObject({ records: 6 });
    expect(hit.findings).toMatchObject([{ code: 'bad-manifest' }]);
  });

  it('leaves out names that the writer would not give', async () => {
    const odd = { ...files, '0000001.bcd': files[ONE]!, '01.bcd': files[ONE]! };
    expect((await verify(odd)).clean).toBe(true);
  });

  it('says of an open file what was durable', async () => {
    const durable = { dataBytes: files[dataName(2)]!.length, records: 2, seqFirst: 5, seqLast: 6 };
    expect((await verify(reopened(files, durable))).clean).toBe(true);
    const cut = reopened(files, { ...durable, dataBytes: durable.dataBytes + 1 });
    expect(await codesOf(cut)).toEqual(['manifest-mismatch']);
    expect((await found(reopened(files, { ...durable, records: 3 })))[0]!.message).toBe(
      'not as the manifest says: records 2, 3 in the manifest',
    );
  });
});

describe('a hint file', () => {
  it('under another name, of another store, or for another version of its data is not used', async () => {
    const other = store([first, second], { storeId: 6n });
    const cases: [Files, string, string][] = [
      [{ ...files, [hintName(1)]: files[hintName(2)]! }, hintName(1), 'misplaced-file'],
      [{ ...files, [hintName(1)]: other[hintName(1)]! }, hintName(1), 'foreign-file'],
      [store([first.slice(0, 3), second]), hintName(1), 'hint-mismatch'],
    ];
    cases[2]![0][hintName(1)] = files[hintName(1)]!;
    for (const [given, name, code] of cases) {
      const { entries, damage } = await scanHint(given, { name });
      expect(entries).toEqual([]);
      expect(damage).toMatchObject([{ code, severity: 'error', file: name, offset: 0 }]);
    }
  });

  it('is used up to the first block that does not hold', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => put(i + 1, `key ${i}`, 'v'));
    const big = store([many]);
    const bytes = big[hintName(1)]!;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const second = 64 + view.getUint32(68, true);
    const { entries, damage } = await scanHint(
      withFile(big, hintName(1), flipped(bytes, (second + 5000) * 8)),
      { limits: { windowBytes: 1000 } },
    );
    expect(entries.length).toBe(view.getUint32(76, true));
    expect(damage).toMatchObject([
      { code: 'hint-corrupt', offset: second, length: bytes.length - second },
    ]);
    expect((await scanHint(big, { limits: { windowBytes: 1000 } })).entries.length).toBe(5000);
  });
});

describe('detection', () => {
  const detected = async (given: Files, only?: string) => {
    const set = memorySet(given);
    const one = {
      ...set,
      isDirectory: false,
      files: set.files.filter(({ name }) => name === only),
    };
    return identify([bitcask], only ? one : set);
  };

  it('is certain of a store and of any file of it', async () => {
    for (const only of [undefined, ...Object.keys(files)]) {
      const { dialect, detection } = await detected(files, only);
      expect([dialect.id, detection.confidence]).toEqual(['v2', 'certain']);
    }
    const { detection } = await detected({ '-': files[ONE]! }, '-');
    expect(detection.reason).toBe('the checksum of the header of data file 1 holds');
  });

  it('goes by the name where the header is gone', async () => {
    const { dialect, detection } = await detected({ [ONE]: new Uint8Array(100) }, ONE);
    expect([dialect.id, detection.confidence]).toEqual(['v2', 'likely']);
  });
});

describe('the identity of a store', () => {
  it('is that of the manifest, or of its files', () => {
    const mixed = store([first, second], { merged: [1] });
    const { [MANIFEST_NAME]: _, ...rest } = mixed;
    const identity = { storeId: STORE, merged: new Set([2]) };
    expect(v2.identity!(memorySet(mixed))).toEqual(identity);
    expect(v2.identity!(memorySet(rest))).toEqual(identity);
    expect(v2.liveFiles!(memorySet(mixed))).toEqual(new Set([1, 2]));
    expect(v2.liveFiles!(memorySet(rest))).toBeUndefined();
  });
});

describe('the layout', () => {
  async function spansOf(given: Files, name: string): Promise<Span[]> {
    const spans: Span[] = [];
    const context = { limits: DEFAULT_LIMITS, set: memorySet(given) };
    await v2.layout(new MemorySource(name, given[name]!), context, (span) => {
      spans.push(span);
      return true;
    });
    return spans;
  }

  it.each(Object.keys(files))('names every byte of %s', async (name) => {
    const spans = await spansOf(files, name);
    expect(coverageFaults(spans, 0, files[name]!.length)).toEqual([]);
    expect(spans.every(({ damage }) => damage === undefined)).toBe(true);
  });

  it.each(Object.keys(files))(
    'names every byte of %s, whatever is hit or cut off',
    async (name) => {
      const bytes = files[name]!;
      for (let at = 0; at < bytes.length; at++) {
        const hit = await spansOf(withFile(files, name, flipped(bytes, at * 8 + 5)), name);
        expect(coverageFaults(hit, 0, bytes.length), `byte ${at}`).toEqual([]);
        const cut = await spansOf(withFile(files, name, bytes.slice(0, at)), name);
        expect(coverageFaults(cut, 0, at), `${at} bytes`).toEqual([]);
      }
    },
  );

  it('marks what is damaged with the code of the finding', async () => {
    const marks = async (name: string, at: number) => {
      const spans = await spansOf(withFile(files, name, flipped(files[name]!, at * 8)), name);
      return spans.filter(({ damage }) => damage).map((span) => [span.name, span.damage]);
    };
    expect(await marks(ONE, 5)).toEqual([['header', 'bad-header']]);
    expect(await marks(ONE, 64 + 44)).toEqual([['damaged', 'crc-mismatch']]);
    expect(await marks(hintName(1), 20)).toEqual([
      ['header', 'hint-corrupt'],
      ['damaged', 'hint-corrupt'],
    ]);
    expect(await marks(hintName(1), 90)).toEqual([['damaged', 'hint-corrupt']]);
    expect(await marks(MANIFEST_NAME, 20)).toEqual([['header', 'bad-manifest']]);
    expect(await marks(MANIFEST_NAME, 130)).toEqual([['entry', 'bad-manifest']]);
  });

  it('says what the bytes mean', async () => {
    const [header, record] = await spansOf(files, ONE);
    const values = (span: Span) =>
      Object.fromEntries(span.children!.map(({ name, value }) => [name, value]));
    expect(values(header!)).toMatchObject({ file: 1, kind: 1, store_id: '1122334455667788' });
    expect(values(record!)).toMatchObject({
      ...{ seq: 1, key_length: 1, value_length: 1, timestamp: 1_700_000_001, expires: 0 },
      ...{ kind: 1, flags: 0, unsynced: 1, key: 'a', value: '1' },
    });
    const [, block] = await spansOf(files, hintName(1));
    expect(values(block!.children![4]!)).toMatchObject({ seq: 2, kind: 1, key: 'b' });
    const [, entry] = await spansOf(files, MANIFEST_NAME);
    expect(values(entry!)).toMatchObject({ file: 1, flags: 5, records: 4, seq_last: 4 });
  });
});

describe('FORMAT.md', () => {
  it('has an example that is a whole data file, as the writer makes it', () => {
    const page = readFileSync(join(root, 'src/formats/bitcask/v2/FORMAT.md'), 'utf8');
    const [, drawn = ''] = page.split('## A worked example')[1]!.split('```');
    const digits = drawn
      .trim()
      .split('\n')
      .map(
        (line) => /^[0-9a-f]{8} {2}((?:[0-9a-f]{2} {1,2})*[0-9a-f]{2})(?: {2}|$)/.exec(line)![1]!,
      );
    const batch = store([
      [
        put(1, 'user:1', 'Ada', { continued: true, timestamp: 1.7e9, unsynced: 1 }),
        put(2, 'user:2', undefined, { timestamp: 1.7e9, unsynced: 2 }),
      ],
    ]);
    const bytes = Buffer.from(batch[ONE]!);
    expect(digits.join('').replaceAll(' ', '')).toBe(bytes.toString('hex'));
    const offsets = drawn
      .trim()
      .split('\n')
      .map((line) => Number.parseInt(line, 16));
    const lengths = digits.map((one) => one.replaceAll(' ', '').length / 2);
    lengths.reduce((at, length, i) => {
      expect(offsets[i]).toBe(at);
      return at + length;
    }, 0);
    expect(batch[hintName(1)]!.length).toBe(148);
    expect(batch[MANIFEST_NAME]!.length).toBe(128);
  });
});
