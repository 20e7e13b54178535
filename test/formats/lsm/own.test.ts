/** Stores of ours: what the engine makes verifies clean; what is wrong with one is told. */
import { describe, expect, it } from 'vitest';
import {
  decodeManifest,
  encodeManifest,
  type LsmManifest,
  MANIFEST_NAME,
} from '../../../src/formats/lsm/manifest.ts';
import { statDatabase } from '../../../src/formats/lsm/stat.ts';
import { tableName } from '../../../src/formats/sstable/v2/layout.ts';
import {
  decodeManifest as decodeLog,
  encodeManifest as encodeLog,
  MANIFEST_NAME as LOG_MANIFEST,
  type LogManifest,
} from '../../../src/formats/wal/v2/manifest.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { Random } from '../../../src/shared/random.ts';
import { codes, content, context, type Files, open, verify } from './databases.ts';
import { contentOf, diskOf, filesOf, openStore, randomStore } from './own-stores.ts';

const hex = (text: string): string => Buffer.from(text).toString('hex');

/** Level 0, level 1 with two tables and a range deletion, and a log. */
async function fixedStore(): Promise<Files> {
  const disk = new SimDisk();
  const store = await openStore(disk, { storeId: () => 7n, levelOneBytes: 10_000 });
  const put = (key: string, value: string) => store.put(Buffer.from(key), Buffer.from(value));
  for (let i = 10; i < 40; i++) {
    await put(`k${i}`, `one-${i}-${'x'.repeat(20)}`);
    if (i === 20) await store.flush();
  }
  await store.compact();
  await store.deleteRange(Buffer.from('k12'), Buffer.from('k15'));
  await put('k20', 'two');
  await store.flush();
  await put('k21', 'three');
  await store.flush();
  await put('k22', 'four');
  await store.delete(Buffer.from('k23'));
  await put('\0zero', 'five');
  await store.close();
  return filesOf(disk);
}

const files = await fixedStore();
const manifest = decodeManifest(files[MANIFEST_NAME]!) as LsmManifest;
const [segment] = Object.keys(files).filter((name) => /^wal\/\d/.test(name)) as [string];
const onLevel = (level: number) => manifest.tables.filter((table) => table.level === level);
const nameOn = (level: number, index = 0) => tableName(onLevel(level)[index]!.file);

function without(...names: string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));
}

/** With a manifest whose checksums hold, of other content. */
function said(change: (manifest: LsmManifest) => void): Files {
  const other = { ...manifest, tables: manifest.tables.map((table) => ({ ...table })) };
  change(other);
  return { ...files, [MANIFEST_NAME]: encodeManifest(other) };
}

function flipped(name: string, at: number, bit = 0): Files {
  const bytes = Uint8Array.from(files[name]!);
  bytes[at]! ^= 1 << bit;
  return { ...files, [name]: bytes };
}

async function told(of: Files): Promise<string[]> {
  return codes((await verify(of)).findings);
}

describe('a store that the engine made', () => {
  it('has two tables on level 0, several on level 1, and a log', () => {
    expect(onLevel(0)).toHaveLength(2);
    expect(onLevel(1).length).toBeGreaterThan(1);
    expect(segment).toMatch(/^wal\/00000\d\.wal2$/);
  });

  it('verifies clean, and reads as the engine reads it', async () => {
    for (let seed = 1; seed < 25; seed++) {
      const made = await randomStore(new Random(seed));
      for (const quick of [false, true]) {
        const { findings } = await verify(made.files, quick);
        expect({ seed, findings }).toEqual({ seed, findings: [] });
      }
      const expected = made.content.map((one) => one.split('=').map(hex).join(' '));
      const forwards = await content(made.files);
      expect({ seed, ...forwards }).toEqual({ seed, lines: expected, findings: [] });
      const { lines } = await content(made.files, 'default', { reverse: true });
      expect(lines).toEqual(expected.reverse());
    }
  });

  it('is told of by its manifest and its log', async () => {
    const stat = await statDatabase(await open(files), context);
    expect(stat).toMatchObject({
      dialect: 'v2',
      generation: Number(manifest.generation),
      flushedSeq: 33,
      lastSeq: 36,
      logRecords: 3,
      findings: 0,
      others: [],
    });
    expect(stat['levels']).toMatchObject([
      { level: 0, tables: 2, entries: 3, deletions: 1 },
      { level: 1, entries: 30, deletions: 0 },
    ]);
  });
});

describe('the manifest', () => {
  it('is damaged by every flipped bit', { timeout: 60_000 }, async () => {
    const { length } = files[MANIFEST_NAME]!;
    for (let at = 0; at < length; at++) {
      const { findings, clean } = await verify(flipped(MANIFEST_NAME, at, at % 8), true);
      expect({ at, clean, codes: codes(findings) }).toMatchObject({ at, clean: false });
      const first = findings.find(({ code }) => code === 'bad-manifest');
      expect({ at, file: first?.file }).toEqual({ at, file: MANIFEST_NAME });
      expect(at).toBeGreaterThanOrEqual(first!.offset);
      expect(at).toBeLessThan(first!.offset + first!.length);
      if (first!.diagnosis) expect(first!.diagnosis).toContain(`byte at ${at}`);
    }
  });

  it('says which bit it was, but where lengths lead astray', async () => {
    const diagnosisOf = async (at: number, bit: number) => {
      const { findings } = await verify(flipped(MANIFEST_NAME, at, bit), true);
      return findings.find(({ code }) => code === 'bad-manifest')!.diagnosis;
    };
    expect(await diagnosisOf(41, 3)).toBe('bit 3 of the byte at 41 is flipped');
    expect(await diagnosisOf(81, 5)).toBe('bit 5 of the byte at 81 is flipped');
    expect(await diagnosisOf(62, 1)).toMatch(/^bit 1 of the byte at 62, of the checksum itself/);
  });

  it('may be cut anywhere', { timeout: 60_000 }, async () => {
    const whole = files[MANIFEST_NAME]!;
    for (let length = 0; length < whole.length; length += 3) {
      const cut = { ...files, [MANIFEST_NAME]: whole.subarray(0, length) };
      expect(await told(cut)).toContain('bad-manifest');
    }
  });

  it('may be gone: the tables are read all the same', async () => {
    const { lines } = await content(without(MANIFEST_NAME));
    expect(lines).toEqual((await content(files)).lines);
    expect(await told(without(MANIFEST_NAME))).toEqual(['bad-manifest', 'guessed-tables']);
  });

  it('of a later layout is not read', async () => {
    const bytes = encodeManifest(manifest);
    const view = new DataView(bytes.buffer);
    view.setUint16(8, 3, true);
    const { crc32c } = await import('../../../src/shared/crc32.ts');
    view.setUint32(60, crc32c.of(bytes, 0, 60), true);
    expect(await told({ ...files, [MANIFEST_NAME]: bytes })).toContain('unsupported');
  });

  const first = 0;
  const cases: [string, string, (manifest: LsmManifest) => void][] = [
    ['names a table twice', 'edit-mismatch', ({ tables }) => tables.push({ ...tables[first]! })],
    ['has a table on level 7', 'edit-mismatch', ({ tables }) => (tables[first]!.level = 7)],
    [
      'counts more deletions than entries',
      'edit-mismatch',
      ({ tables }) => (tables[first]!.deletions = 99),
    ],
    ['has given a number already', 'edit-mismatch', (one) => (one.nextFile = 2)],
    ['ends before a table does', 'sequence-mismatch', (one) => (one.flushedSeq = 20)],
    ['has other counts', 'count-mismatch', ({ tables }) => tables[first]!.entries++],
    ['has other numbers', 'sequence-mismatch', ({ tables }) => tables[first]!.seqFirst++],
    ['has another size', 'size-mismatch', ({ tables }) => (tables[first]!.bytes += 64)],
    ['has another identity', 'manifest-mismatch', ({ tables }) => (tables[first]!.fileCrc ^= 1)],
    [
      'has other keys',
      'range-mismatch',
      ({ tables }) => (tables[first]!.firstKey = Buffer.from('a')),
    ],
    [
      'has keys that end before they begin',
      'range-mismatch',
      ({ tables }) => (tables[first]!.lastKey = Buffer.from('a')),
    ],
    [
      'lets level 0 interleave',
      'sequence-mismatch',
      ({ tables }) => {
        for (const table of tables) table.level = 0;
        tables[first]!.seqLast = 33;
      },
    ],
    ['says that more is in the tables than is', 'missing-log', (one) => (one.flushedSeq = 50)],
    ['says that less is in the tables than is', 'missing-log', (one) => (one.flushedSeq = 31)],
    [
      'lets tables of a level overlap',
      'level-overlap',
      ({ tables }) => {
        const [a, b] = tables.filter(({ level }) => level === 1);
        a!.lastKey = b!.lastKey;
      },
    ],
    [
      'has newer below older',
      'stale-above',
      ({ tables }) => {
        for (const table of tables) table.level = table.level === 0 ? 2 : 1;
      },
    ],
  ];
  it.each(cases)('that %s is %s', async (_, code, change) => {
    expect(await told(said(change))).toContain(code);
  });
});

describe('tables', () => {
  it('that are gone', async () => {
    const { findings } = await verify(without(nameOn(1)));
    const [finding] = findings;
    expect(codes(findings)).toEqual(['missing-file']);
    expect(finding!.message).toMatch(/^table \d+ of level 1 is live, and is not there$/);
    expect(finding!.offset).toBeGreaterThanOrEqual(64);
  });

  it('that are cut', async () => {
    const name = nameOn(1);
    const cut = { ...files, [name]: files[name]!.subarray(0, 192) };
    expect(await told(cut)).toContain('size-mismatch');
  });

  it('that changed places', async () => {
    const [a, b] = [nameOn(1), nameOn(1, 1)];
    const { findings } = await verify({ ...files, [a]: files[b]!, [b]: files[a]! });
    const swapped = findings.filter(({ code }) => code === 'manifest-mismatch');
    expect(swapped.map(({ file }) => file).sort()).toEqual([a, b].sort());
  });

  it('with any byte flipped', { timeout: 60_000 }, async () => {
    const name = nameOn(0);
    for (let at = 0; at < files[name]!.length; at += 5) {
      for (const quick of [false, true]) {
        const { clean } = await verify(flipped(name, at, at % 8), quick);
        expect({ at, quick, clean }).toEqual({ at, quick, clean: false });
      }
    }
  });

  it('that nobody names', async () => {
    const more = {
      ...files,
      '000099.sst2': files[nameOn(0)]!,
      '.000100.sst2.tmp-1-0': new Uint8Array(3),
    };
    const { findings, verdict } = await verify(more);
    const found = findings.map(({ code, severity, file }) => [code, severity, file]);
    expect(found).toEqual([
      ['leftover-file', 'info', '.000100.sst2.tmp-1-0'],
      ['leftover-file', 'warning', '000099.sst2'],
    ]);
    expect(verdict).toBe('torn-tail');
  });
});

describe('the log', () => {
  it('that is gone', async () => {
    const gone = without(...Object.keys(files).filter((name) => name.startsWith('wal/')));
    expect(await told(gone)).toEqual(['missing-log']);
  });

  it('with any byte flipped is damaged, and named from the store', {
    timeout: 60_000,
  }, async () => {
    for (const name of [segment, 'wal/MANIFEST.wal2']) {
      for (let at = 0; at < files[name]!.length; at++) {
        const { findings, clean } = await verify(flipped(name, at, at % 8), true);
        expect({ name, at, clean }).toEqual({ name, at, clean: false });
        const places = [name, MANIFEST_NAME, `wal/${LOG_MANIFEST}`];
        expect(findings.every(({ file }) => places.includes(file))).toBe(true);
      }
    }
  });

  it('of another store does not go on where the tables end', async () => {
    const disk = new SimDisk();
    const other = await openStore(disk);
    await other.put(Buffer.from('a'), Buffer.from('b'));
    await other.close();
    const logs = Object.entries(filesOf(disk)).filter(([name]) => name.startsWith('wal/'));
    expect(await told({ ...without(segment), ...Object.fromEntries(logs) })).toContain(
      'missing-log',
    );
  });
});

describe('a flipped bit anywhere', () => {
  it.each(Object.keys(files))(
    'of %s is told, or changes nothing',
    { timeout: 60_000 },
    async (name) => {
      const whole = await content(files);
      for (let at = 0; at < files[name]!.length; at += 2) {
        const { lines, findings } = await content(flipped(name, at, (at >> 1) % 8));
        if (findings.length === 0) expect({ at, lines }).toEqual({ at, lines: whole.lines });
      }
    },
  );
});

describe('a log whose last file is gone', () => {
  it('is missed, by the engine too', async () => {
    const { findings } = await verify(without(segment));
    expect(codes(findings)).toEqual(['segment-gap']);
    const { findings: told } = await content(without(segment));
    expect(codes(told)).toEqual(['segment-gap']);
    await expect(openStore(diskOf(without(segment)))).rejects.toThrow('the segment is missing');
  });
});

describe('a log that was never cut', () => {
  const logManifest = `wal/${LOG_MANIFEST}`;

  async function twoWrites(): Promise<Files> {
    const disk = new SimDisk();
    const store = await openStore(disk);
    await store.put(Buffer.from('a'), Buffer.from('1'));
    await store.put(Buffer.from('b'), Buffer.from('2'));
    await store.close();
    return filesOf(disk);
  }

  /** As a version wrote it that did not say how far the log reaches. */
  function older(of: Files): Files {
    const said = decodeLog(of[logManifest]!) as LogManifest;
    return { ...of, [logManifest]: encodeLog({ ...said, reached: undefined }) };
  }

  it('is missed where its first segment is gone, by the engine too', async () => {
    const { 'wal/000001.wal2': _, ...gone } = await twoWrites();
    const { findings } = await verify(gone);
    expect(findings).toMatchObject([{ code: 'segment-gap', file: logManifest }]);
    expect(codes((await content(gone)).findings)).toEqual(['segment-gap']);
    await expect(openStore(diskOf(gone))).rejects.toThrow('000001.wal2 is damaged at 0');
  });

  it('leaves no trace in an older store, which says so', async () => {
    const made = older(await twoWrites());
    const { clean, unchecked } = await verify(made);
    expect(clean).toBe(true);
    expect(unchecked.join()).toContain('the first segments of a log that was never cut');
    const { 'wal/000001.wal2': _, ...gone } = made;
    expect((await verify(gone)).clean).toBe(true);
    const disk = diskOf(made);
    const store = await openStore(disk);
    expect(await contentOf(store)).toEqual(['a=1', 'b=2']);
    await store.close();
    const { unchecked: now } = await verify(filesOf(disk));
    expect(now.join()).not.toContain('first segments');
  });

  it('is missed where its end is, however cleanly it was cut', async () => {
    const made = await twoWrites();
    const log = made['wal/000001.wal2']!;
    // Behind the first of two records of 22 bytes, before both, and before the header of the block.
    for (const left of [96 + 22, 96, 64]) {
      const cut = { ...made, 'wal/000001.wal2': log.subarray(0, left) };
      const { findings } = await verify(cut);
      expect({ left, codes: codes(findings) }).toEqual({ left, codes: ['seq-gap'] });
      await expect(openStore(diskOf(cut))).rejects.toThrow(/the log ends at seq [01], seq 2 was/);
    }
  });

  it('is told of where its manifest is gone', async () => {
    const { [logManifest]: _, ...gone } = await twoWrites();
    const { findings } = await verify(gone);
    expect(findings).toMatchObject([{ code: 'missing-file', file: logManifest }]);
  });
});
