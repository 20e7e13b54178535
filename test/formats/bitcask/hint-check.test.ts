import { beforeAll, describe, expect, it } from 'vitest';
import { hashV1 } from '../../../src/formats/bitcask/hash-v1/index.ts';
import { logV1 } from '../../../src/formats/bitcask/log-v1/index.ts';
import { type BitcaskDialect, HintEntry } from '../../../src/formats/bitcask/model.ts';
import { riak } from '../../../src/formats/bitcask/riak/index.ts';
import { v2 } from '../../../src/formats/bitcask/v2/index.ts';
import { verifyStore } from '../../../src/formats/bitcask/verify.ts';
import type { Finding } from '../../../src/formats/format.ts';
import { MemorySource } from '../../support/memory.ts';
import {
  contextOf,
  type Files,
  openStore,
  type Put,
  repaired,
  verify,
  withHints,
  writeStore,
} from '../../support/store.ts';

const PUTS: Put[] = [
  { key: 'a', value: 'one' },
  { key: 'b', value: 'two' },
  { key: 'a', value: 'three' },
  { key: 'c', value: 'four' },
  { key: 'b' },
];

/** An entry as the tests change it. */
type Entry = Pick<
  HintEntry,
  'dataFile' | 'position' | 'size' | 'timestamp' | 'seq' | 'expires' | 'deleted'
> & { key: string };

async function entriesOf(dialect: BitcaskDialect, files: Files, name: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const input = openStore(files, dialect);
  await dialect.scanHint(new MemorySource(name, files[name]!), contextOf(input), {
    entry: ({ dataFile, position, size, timestamp, seq, expires, deleted, ...more }) => {
      const { bytes, keyStart, keyEnd } = more;
      const key = Buffer.from(bytes.slice(keyStart, keyEnd)).toString('latin1');
      entries.push({ dataFile, position, size, timestamp, seq, expires, deleted, key });
    },
    damage(finding) {
      throw new Error(finding.message);
    },
  });
  return entries;
}

/** A hint file with a checksum that holds, whatever its entries say. */
function hintOf(dialect: BitcaskDialect, entries: readonly Entry[], dataBytes: number): Uint8Array {
  const writer = dialect.encoder!.open(0n);
  const parts = [writer.hint(1, dataBytes, entries.length).slice()];
  for (const { key, ...entry } of entries) {
    const bytes = Buffer.from(key, 'latin1');
    const place = { bytes, keyStart: 0, keyEnd: bytes.length };
    parts.push(writer.entry(Object.assign(new HintEntry(), place, entry)).slice());
  }
  parts.push(writer.hintEnd().slice());
  return new Uint8Array(Buffer.concat(parts));
}

const told = ({ code, severity, file }: Finding): string => `${severity} ${code} ${file}`;

// In v2, the manifest vouches for each hint file as well: see its own tests.
describe.each([hashV1, logV1, riak].map((dialect) => [dialect.id, dialect] as const))(
  'a hint of %s',
  (id, dialect) => {
    const data = dialect.dataName(1);
    const hint = dialect.hintName(1);
    let files: Files;
    let entries: Entry[];

    beforeAll(async () => {
      files = await withHints(writeStore(dialect, PUTS), dialect, true);
      entries = await entriesOf(dialect, files, hint);
    });

    const check = async (changed: readonly Entry[]): Promise<Finding[]> => {
      const bytes = hintOf(dialect, changed, files[data]!.length);
      const { findings } = await verify(openStore({ ...files, [hint]: bytes }, dialect));
      return findings;
    };

    it('that is right is not told', async () => {
      expect(entries.length).toBe(id === 'riak' ? 5 : 2);
      expect(await check(entries)).toEqual([]);
    });

    it('whose entry points elsewhere is a mismatch, and that alone', async () => {
      const [first, ...rest] = entries;
      const found = await check([{ ...first!, position: first!.position + 1 }, ...rest]);
      expect(found.map(told)).toEqual([`error hint-mismatch ${hint}`]);
      expect(found[0]!.message).toContain('where no record begins');
      expect(found[0]).toMatchObject({ offset: 0, repair: `build it anew from ${data}` });
    });

    it('whose entry has another key is a mismatch, and lacks the right one', async () => {
      const changed = entries.map((entry) => (entry.key === 'c' ? { ...entry, key: 'd' } : entry));
      const found = await check(changed);
      expect(found.map(told).sort()).toEqual(
        [`error hint-mismatch ${hint}`, `warning hint-missing ${data}`].sort(),
      );
      expect(found.map(({ message }) => message).join()).toContain('a record of another key');
    });

    it('whose entry points behind the end is a mismatch', async () => {
      const last = entries.at(-1)!;
      const found = await check([...entries.slice(0, -1), { ...last, position: 5000 }]);
      expect(found.map(({ message }) => message).join()).toContain(
        `points at 5000, ${data} has ${files[data]!.length} bytes`,
      );
    });

    it('without the entry of a key that counts lacks it', async () => {
      const found = await check(entries.filter(({ key }) => key !== 'c'));
      expect(found.map(told)).toEqual([`warning hint-missing ${data}`]);
      expect(found[0]!.message).toContain(`${hint} has no entry for the record of key "c"`);
    });

    it('with many wrong entries is told once, with their number', async () => {
      const found = await check(entries.map((entry) => ({ ...entry, position: 4000 })));
      const [mismatch] = found.filter(({ code }) => code === 'hint-mismatch');
      expect(mismatch!.message).toContain(`the first of ${entries.length} such entries`);
    });

    it('that tells of another size or time than the record is a mismatch', async () => {
      const [first, ...rest] = entries;
      if (first!.size >= 0) {
        const [one] = await check([{ ...first!, size: first!.size + 1 }, ...rest]);
        expect(one!.message).toMatch(/says the record has \d+ bytes, it has \d+/);
      }
      if (!Number.isNaN(first!.timestamp)) {
        const [one] = await check([{ ...first!, timestamp: 1 }, ...rest]);
        expect(one!.message).toMatch(/says timestamp 1, the record says \d+/);
      }
    });

    it('without its data file is an orphan, and says what only it still knows', async () => {
      const later = writeStore(dialect, [{ key: 'a', value: 'new' }], { firstFile: 2 });
      const orphan = { ...later, [hint]: files[hint]! };
      const { findings } = await verify(openStore(orphan, dialect));
      expect(findings.map(told)).toEqual([`error hint-orphan ${hint}`]);
      expect(findings[0]!.evidence).toContain('"c" among them');
    });

    it('proves that what looks like a torn tail was a whole record once', async () => {
      const cut = files[data]!.slice(0, -3);
      const { findings, verdict } = await verify(openStore({ ...files, [data]: cut }, dialect));
      const torn = await verify(openStore({ [data]: cut }, dialect));
      expect(torn.findings.map(told)).toEqual([`warning torn-tail ${data}`]);
      expect(torn.findings[0]!.evidence).toContain('after a crash a store goes on in a new one');
      if (id === 'riak') {
        // The last record deletes: the hints of the others have no entry for it.
        expect(verdict).toBe('damaged');
        expect(findings.map(({ code }) => code)).not.toContain('torn-tail');
      }
    });
  },
);

describe('an older record', () => {
  it('in place of the newest one of its key is a mismatch', async () => {
    const files = await withHints(writeStore(hashV1, PUTS), hashV1, true);
    const entries = await entriesOf(hashV1, files, '000001.hint');
    const [a, ...rest] = entries;
    const older = { ...a!, position: 0, size: 20, timestamp: 1_700_000_000 };
    const bytes = hintOf(hashV1, [older, ...rest], 0);
    const { findings } = await verify(openStore({ ...files, '000001.hint': bytes }, hashV1));
    expect(findings.map(told)).toEqual(['error hint-mismatch 000001.hint']);
    expect(findings[0]!.message).toContain('a newer one follows in the file');
  });

  it('with an entry in an earlier file is in order', async () => {
    const files = writeStore(hashV1, PUTS.slice(0, 2));
    const hinted = await withHints(files, hashV1, true);
    const all = { ...hinted, ...writeStore(hashV1, PUTS.slice(2), { firstFile: 2 }) };
    expect((await verify(openStore(all, hashV1))).findings).toEqual([]);
  });
});

describe('a data file without a hint', () => {
  it('is told where others have one, as something that only costs time', async () => {
    const files = writeStore(hashV1, [...PUTS, ...PUTS, ...PUTS], { fileBytes: 60 });
    expect((await verify(openStore(files, hashV1))).findings).toEqual([]);
    const hinted = await withHints(files, hashV1);
    const { '000002.hint': _, ...rest } = hinted;
    const { findings, clean } = await verify(openStore(rest, hashV1));
    expect(findings.map(told)).toEqual(['info hint-missing 000002.data']);
    expect(clean).toBe(true);
  });
});

describe('hint check', () => {
  it('tells what concerns hints, and no damage of the data', async () => {
    const puts = [{ key: 'z', value: 'only here' }, ...PUTS, ...PUTS];
    const files = await withHints(writeStore(logV1, puts, { fileBytes: 60 }), logV1);
    const name = logV1.dataName(2);
    const hit = files[name]!.slice();
    hit[0]! ^= 1;
    const hint = logV1.hintName(1);
    const damaged = { ...files, [name]: hit, [hint]: files[hint]!.slice(0, -1) };
    const input = openStore(damaged, logV1);
    const all = await verifyStore(input, contextOf(input));
    expect(Object.keys(all.counts)).toContain('crc-mismatch');
    const hints = await verifyStore(input, contextOf(input), true);
    expect(hints.findings.map(({ code }) => code)).toEqual(['hint-corrupt']);
  });
});

describe('many keys', () => {
  it('are held against their hints in time that grows with their number', async () => {
    const cost = async (keys: number): Promise<number> => {
      const puts = Array.from({ length: keys }, (_, i) => ({ key: `key${i}`, value: 'v' }));
      const input = openStore(writeStore(v2, puts), v2);
      const begun = performance.now();
      expect((await verify(input)).findings).toEqual([]);
      return performance.now() - begun;
    };
    await cost(5000);
    const small = Math.min(await cost(10_000), await cost(10_000));
    const large = Math.min(await cost(80_000), await cost(80_000));
    // Eight times as many; a quadratic check would take 64 times as long.
    expect(large / small).toBeLessThan(30);
  });
});

describe('a deletion that hints cannot tell of', () => {
  it.each([hashV1, logV1].map((dialect) => [dialect.id, dialect] as const))(
    'is told in %s where a hint before it has the key',
    async (_, dialect) => {
      const old = await withHints(writeStore(dialect, [{ key: 'a', value: '1' }]), dialect, true);
      const later = writeStore(dialect, [{ key: 'a' }, { key: 'b', value: '2' }], { firstFile: 2 });
      const hint = dialect.hintName(2);
      const alone = { ...old, ...later };
      // Without a hint of its own, the later file is read, deletion and all.
      expect((await verify(openStore(alone, dialect))).clean).toBe(true);
      const hinted = { ...alone, [hint]: (await withHints(alone, dialect, true))[hint]! };
      const { findings } = await verify(openStore(hinted, dialect));
      expect(findings.map(told)).toEqual([`warning hint-missing ${dialect.dataName(2)}`]);
      expect(findings[0]!.message).toContain('brings it back');
      const { files } = await repaired(openStore(hinted, dialect));
      expect((await verify(openStore(files, dialect))).clean).toBe(true);
      expect(files[dialect.hintName(1)]).toEqual(new Uint8Array(0));
    },
  );
});
