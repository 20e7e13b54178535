import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import {
  type ByteSource,
  DEFAULT_LIMITS,
  type FileSet,
  type Limits,
  type Probe,
  type RecordSink,
  type Span,
} from '../../../src/formats/format.ts';
import { encodeEntry } from '../../../src/formats/wal/btree-v1/encode.ts';
import { btreeV1 } from '../../../src/formats/wal/btree-v1/index.ts';
import { printRecord } from '../../../src/formats/wal/dump.ts';
import type { WalDamage } from '../../../src/formats/wal/model.ts';
import { verifyLog } from '../../../src/formats/wal/verify.ts';
import {
  concat,
  fixtureFiles,
  fixtureJson,
  MemorySource,
  memorySet,
} from '../../support/memory.ts';

const LOG = 'btree.wal';
const TREE = 'btree.db';

interface Page {
  seq: number;
  page: unknown;
  offset: number;
  length: number;
  salvaged: boolean;
  /** In hex: quick to compare. */
  image: string;
}

interface Scan {
  records: Page[];
  damage: WalDamage[];
}

async function scanOf(
  set: FileSet,
  limits: Partial<Limits> = {},
  source?: ByteSource,
): Promise<Scan> {
  const records: Page[] = [];
  const damage: WalDamage[] = [];
  const context = { limits: { ...DEFAULT_LIMITS, ...limits }, set };
  await btreeV1.scan(source ?? set.open(LOG), context, {
    record(record) {
      const { seq, offset, length, salvaged, bytes, valueStart, valueEnd } = record;
      expect(record.op).toBe('page');
      expect(record.keyStart).toBe(-1);
      const image = Buffer.from(bytes.subarray(valueStart, valueEnd)).toString('hex');
      records.push({ seq, page: record.extra!['page'], offset, length, salvaged, image });
    },
    damage: (one) => damage.push(one),
  });
  return { records, damage };
}

const scan = (log: Uint8Array, tree?: Uint8Array, limits?: Partial<Limits>) =>
  scanOf(memorySet({ [LOG]: log, ...(tree && { [TREE]: tree }) }), limits);

function verify(log: Uint8Array, tree?: Uint8Array) {
  const set = memorySet({ [LOG]: log, ...(tree && { [TREE]: tree }) });
  const files = set.files.filter(({ name }) => name === LOG);
  return verifyLog({ set, dialect: btreeV1, files }, { limits: DEFAULT_LIMITS, set });
}

async function layout(log: Uint8Array): Promise<Span[]> {
  const spans: Span[] = [];
  const context = { limits: DEFAULT_LIMITS, set: memorySet({ [LOG]: log }) };
  await btreeV1.layout(new MemorySource(LOG, log), context, (span) => spans.push(span) > 0);
  return spans;
}

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at]! ^= 1 << bit;
  return copy;
}

function expectTiled(size: number, { records, damage }: Scan): void {
  const spans = [...records, ...damage.filter(({ lost }) => lost)];
  let at = 0;
  for (const { offset, length } of spans.sort((a, b) => a.offset - b.offset)) {
    if (offset !== at || length <= 0) expect({ offset, length }).toEqual({ offset: at, length: 1 });
    at += length;
  }
  expect(at).toBe(size);
}

/** A leaf of keys `prefix`00, `prefix`01, … */
function leaf(prefix: string, count: number, sibling = 0xffff_ffff, size = 512): Uint8Array {
  const page = Buffer.alloc(size);
  page[0] = 1;
  page.writeUInt16BE(count, 1);
  page.writeUInt32BE(sibling, 3);
  let at = 7;
  for (let i = 0; i < count; i++) {
    const key = `${prefix}${String(i).padStart(2, '0')}`;
    at = page.writeUInt16BE(key.length, at);
    at += page.write(key, at);
    at = page.writeUInt16BE(2, at);
    at += page.write('v!', at);
  }
  return new Uint8Array(page);
}

function internal(children: number[], size = 512): Uint8Array {
  const page = Buffer.alloc(size);
  page.writeUInt16BE(children.length - 1, 1);
  let at = page.writeUInt32BE(children[0]!, 3);
  for (const child of children.slice(1)) {
    at = page.writeUInt16BE(2, at);
    at += page.write('kk', at);
    at = page.writeUInt32BE(child, at);
  }
  return new Uint8Array(page);
}

function metadata(pages: number, size = 512): Uint8Array {
  const page = Buffer.alloc(size);
  for (const [i, value] of [1, 2, 40, pages, 0xffff_ffff].entries()) {
    page.writeUInt32BE(value, i * 4);
  }
  return new Uint8Array(page);
}

function free(next: number, size = 512): Uint8Array {
  const page = Buffer.alloc(size);
  page.writeUInt32BE(next, 3);
  return new Uint8Array(page);
}

/** Twelve leaves in a row and a root, pages of 512 bytes. */
const leaves = Array.from({ length: 12 }, (_, i) =>
  leaf(String.fromCharCode(97 + i), 20, i < 11 ? i + 3 : undefined),
);
const tree = concat([metadata(16), internal([2, 3, 4]), ...leaves, free(15), free(0xffff_ffff)]);
const log = concat([2, 5, 7, 3].map((page, i) => encodeEntry(i + 1, page, leaves[page - 2]!)));
const ENTRY = 528;

const golden = fixtureFiles('wal/btree-v1/with-redo-log');
const goldenLog = new Uint8Array(golden[LOG]!);

describe('the golden file', () => {
  it('gives two images, and is clean', async () => {
    const { records, damage } = await scanOf(memorySet(golden));
    expect(damage).toEqual([]);
    const expected = fixtureJson<{ redo_pages: number[] }>(
      'wal/btree-v1/with-redo-log/expected.json',
    );
    expect(records.map(({ page }) => page)).toEqual(expected.redo_pages);
    expect(records.map(({ seq }) => seq)).toEqual([1, 2]);
    for (const { page, image } of records) {
      const at = Number(page) * 1024;
      expect(Buffer.from(golden[TREE]!.subarray(at, at + 1024)).toString('hex')).toBe(image);
    }
    expect(await verify(goldenLog, golden[TREE]!)).toMatchObject({ clean: true, counts: {} });
    expect(await verify(goldenLog)).toMatchObject({ clean: true, counts: {} });
  });

  it('is written anew byte for byte', async () => {
    const { records } = await scan(goldenLog);
    const parts = records.map(({ seq, page, image }) =>
      encodeEntry(seq, Number(page), new Uint8Array(Buffer.from(image, 'hex'))),
    );
    expect(concat(parts)).toEqual(goldenLog);
  });

  it('is printed with number, page and image, in this order', async () => {
    const names: string[] = [];
    const sink: RecordSink = {
      begin() {},
      end() {},
      word: (name, value) => names.push(`${name}=${value}`),
      text: (name, value) => names.push(`${name}=${value}`),
      integer: (name, value) => names.push(`${name}=${value}`),
      integer64: (name, _high, low) => names.push(`${name}=${low}`),
      bytes: (name, kind) => names.push(`${name}: ${kind}`),
      time: (name, seconds) => names.push(`${name}=${seconds}`),
      flag: (name, value) => names.push(`${name}=${value}`),
      json: (name, value) => names.push(`${name}=${value}`),
    };
    const context = { limits: DEFAULT_LIMITS, set: memorySet(golden) };
    await btreeV1.scan(new MemorySource(LOG, goldenLog), context, {
      record: (record) => printRecord(sink, record, btreeV1.hasSeq),
      damage() {},
      done: () => names.length > 0,
    });
    expect(names).toEqual([
      'file=btree.wal',
      'offset=0',
      'length=1040',
      'seq=1',
      'op=page',
      'page=2',
      'value: value',
    ]);
  });
});

describe('one flipped bit', () => {
  /**
   * The guarantee: in an image or its checksum it costs that entry, which is named; in data_length
   * nothing; in page it is named when a tree of other keys is beside the log; in seq the sequence
   * tells.
   */
  it('costs at most the entry that it is in, and is always seen', async () => {
    const { records: intact } = await scan(log, tree);
    for (let bit = 0; bit < log.length * 8; bit++) {
      const at = bit >>> 3;
      const inEntry = at % ENTRY;
      if (inEntry > 40 && inEntry < 510 && bit % 13 !== 0) continue; // one bit in 13 of an image
      const hit = Math.floor(at / ENTRY);
      const bytes = flipped(log, at, bit & 7);
      const result = await scan(bytes, tree);
      const { records, damage } = result;
      expectTiled(bytes.length, result);
      const others = intact.filter((_, i) => i !== hit);
      expect(records.filter(({ offset }) => offset !== hit * ENTRY)).toEqual(others);
      const own = records.find(({ offset }) => offset === hit * ENTRY);
      const place = `bit ${bit & 7} of the byte at ${at}`;
      if (inEntry < 4) {
        expect(damage).toEqual([]);
        const { counts } = await verify(bytes, tree);
        expect(Object.keys(counts).join(), place).toMatch(/^seq-(gap|regression|duplicate)$/);
        continue;
      }
      expect(damage.length, place).toBe(1);
      const { code, diagnosis, lost, severity } = damage[0]!;
      expect(diagnosis, place).toContain(place);
      if (inEntry < 8) {
        expect({ code, lost, severity }).toEqual({
          code: 'bad-page',
          lost: false,
          severity: 'error',
        });
        expect(damage[0]!.distrust).toBe(true);
        expect(own!.image).toBe(intact[hit]!.image);
        continue;
      }
      const mend = damage[0]!.mend!;
      const mended = new Uint8Array(bytes);
      mended.set(Buffer.from(mend.hex, 'hex'), mend.offset);
      expect(Buffer.compare(mended, log), place).toBe(0);
      if (inEntry < 12) {
        expect({ code, lost }).toEqual({ code: 'bad-length', lost: false });
        expect(own).toEqual({ ...intact[hit], salvaged: true });
      } else {
        expect({ code, lost }).toEqual({ code: 'crc-mismatch', lost: true });
        expect(own).toBeUndefined();
      }
    }
  });

  it('is the same bit in the reader of a stream, and through windows of any size', async () => {
    for (const at of [9, 100, ENTRY + 10, 2 * ENTRY + 527, 3 * ENTRY + 300]) {
      const bytes = flipped(log, at, 3);
      const whole = await scan(bytes);
      for (const windowBytes of [1, 64, 600, 1500]) {
        expect(await scan(bytes, undefined, { windowBytes })).toEqual(whole);
      }
      expect(await scanOf(memorySet({}), {}, pipe(bytes))).toEqual(whole);
    }
  });

  function pipe(bytes: Uint8Array): ByteSource {
    let at = 0;
    let size: number | undefined;
    return {
      name: LOG,
      forwardOnly: true,
      get size() {
        return size;
      },
      async read(target, start, length, position) {
        expect(position).toBe(at);
        const part = bytes.subarray(at, at + Math.min(length, 333));
        target.set(part, start);
        at += part.length;
        if (part.length === 0) size = at;
        return part.length;
      },
    };
  }
});

describe('the end of the log', () => {
  it('cut anywhere is a torn tail', async () => {
    for (let size = 0; size <= goldenLog.length; size++) {
      const { records, damage } = await scan(goldenLog.slice(0, size));
      const whole = Math.floor(size / 1040);
      expect(records).toHaveLength(whole);
      if (size % 1040 === 0) expect(damage).toEqual([]);
      else {
        expect(damage, `size ${size}`).toHaveLength(1);
        const length = size - whole * 1040;
        expect(damage[0]).toMatchObject({ code: 'torn-tail', offset: whole * 1040, length });
        expect(damage[0]!.tail).toBe(true);
      }
    }
    expect((await verify(goldenLog.slice(0, 1500))).verdict).toBe('torn-tail');
  });

  it.each(['zeros', 'ones', 'noise'])('%s behind it are one too', async (kind) => {
    for (const size of [1, 4, 12, 16, 17, 528, 5000, 100_000]) {
      const tail = new Uint8Array(size).map((_, i) =>
        kind === 'zeros' ? 0 : kind === 'ones' ? 255 : (i * i * 31 + 7) >>> 3,
      );
      const { records, damage } = await scan(concat([log, tail]));
      expect(records).toHaveLength(4);
      expect(damage).toHaveLength(1);
      expect(damage[0]).toMatchObject({ code: 'torn-tail', offset: log.length, length: size });
      if (kind === 'zeros' && size >= 16) expect(damage[0]!.message).toContain('zero bytes');
    }
  });

  it('with a last entry that does not check is a torn tail that names the bit', async () => {
    const { findings, verdict } = await verify(flipped(log, 3 * ENTRY + 200, 5));
    expect(verdict).toBe('torn-tail');
    expect(findings).toHaveLength(1);
    expect(findings[0]!.message).toContain('crc-mismatch');
    expect(findings[0]!.diagnosis).toContain(`bit 5 of the byte at ${3 * ENTRY + 200}`);
  });
});

describe('holes', () => {
  it('several entries in a row are told one by one as long as their headers go on', async () => {
    let bytes = log;
    for (const entry of [1, 2]) bytes = flipped(bytes, entry * ENTRY + 99, 1);
    const { records, damage } = await scan(bytes);
    expect(records.map(({ seq }) => seq)).toEqual([1, 4]);
    expect(damage.map(({ code, offset }) => [code, offset])).toEqual([
      ['crc-mismatch', ENTRY],
      ['crc-mismatch', 2 * ENTRY],
    ]);
    const { counts } = await verify(bytes);
    expect(counts).toEqual({ 'crc-mismatch': 2 }); // and no gap in the sequence on top
  });

  it('an image and the next length', async () => {
    const bytes = flipped(flipped(log, ENTRY + 99, 1), 2 * ENTRY + 10, 1);
    const { records, damage } = await scan(bytes);
    expect(records.map(({ seq }) => seq)).toEqual([1, 3, 4]);
    expect(damage.map(({ code }) => code)).toEqual(['crc-mismatch', 'bad-length']);
  });

  it('a sector overwritten costs the entries it touches', async () => {
    const long = concat(
      Array.from({ length: 40 }, (_, i) => encodeEntry(i + 1, (i % 12) + 2, leaves[i % 12]!)),
    );
    for (const from of [512, 1024, 5120, 7777]) {
      for (const fill of [0, 255]) {
        const bytes = new Uint8Array(long);
        bytes.fill(fill, from, from + 512);
        const result = await scan(bytes);
        expectTiled(bytes.length, result);
        const touched = Math.floor((from + 511) / ENTRY) - Math.floor(from / ENTRY) + 1;
        expect(result.records).toHaveLength(40 - touched);
        expect(result.damage.every(({ tail, lost }) => lost && !tail)).toBe(true);
      }
    }
  });

  it('the next entry is found at any byte offset', async () => {
    for (let junk = 1; junk < 80; junk++) {
      const garbage = new Uint8Array(junk).map((_, i) => (i * 37 + junk) & 255);
      const bytes = concat([log.slice(0, ENTRY), garbage, log.slice(ENTRY)]);
      const { records, damage } = await scan(bytes);
      expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
      expect(damage).toMatchObject([{ offset: ENTRY, length: junk, code: 'bad-length' }]);
    }
  });

  it('a hit that the tree has applied already is said to be so', async () => {
    const bytes = new Uint8Array(log);
    bytes.fill(0x77, ENTRY + 40, ENTRY + 90);
    const { damage } = await scan(bytes, tree);
    expect(damage).toHaveLength(1);
    expect(damage[0]!.diagnosis).toContain('page 5 of btree.db holds the image');
  });

  it('lengths of 4 GiB in a small file cost nothing', async () => {
    for (const length of [0xffff_ffff, 0x8000_0000, 65_536, 1]) {
      const bytes = new Uint8Array(30).fill(7);
      new DataView(bytes.buffer).setUint32(8, length);
      const result = await scan(bytes);
      expectTiled(30, result);
      expect(result.damage).toHaveLength(1);
    }
  });
});

describe('lengths that are no page size', () => {
  function odd(seq: number, page: number, image: Uint8Array): Uint8Array {
    const padded = new Uint8Array(1024);
    padded.set(image);
    const entry = encodeEntry(seq, page, padded);
    const bytes = new Uint8Array(16 + image.length);
    bytes.set(entry.subarray(0, 12));
    new DataView(bytes.buffer).setUint32(8, image.length);
    bytes.set(image, 12);
    bytes.set(checksumOf(image), 12 + image.length);
    return bytes;
  }
  const checksumOf = (image: Uint8Array) => {
    // Bit by bit: the checksum's own definition.
    let register = -1;
    for (const byte of image) {
      register ^= byte;
      for (let i = 0; i < 8; i++) register = (register >>> 1) ^ (register & 1 ? 0xedb88320 : 0);
    }
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, ~register);
    return bytes;
  };

  it('are a warning when the checksum holds', async () => {
    const bytes = concat([
      log.slice(0, ENTRY),
      odd(2, 3, leaves[1]!.slice(0, 500)),
      log.slice(2 * ENTRY),
    ]);
    const { records, damage } = await scan(bytes);
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(damage).toMatchObject([
      { code: 'bad-length', severity: 'warning', lost: false, offset: ENTRY, length: 516 },
    ]);
    expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
  });

  it('are a warning when they change', async () => {
    const bytes = concat([log, encodeEntry(5, 2, leaf('a', 3, 3, 1024))]);
    const { records, damage } = await scan(bytes);
    expect(records).toHaveLength(5);
    expect(damage).toMatchObject([{ code: 'bad-length', severity: 'warning', lost: false }]);
  });
});

describe('page numbers', () => {
  const one = async (page: number, image: Uint8Array, beside?: Uint8Array) => {
    const { records, damage } = await scan(encodeEntry(1, page, image), beside);
    expect(records).toHaveLength(1);
    expect(damage.length).toBeLessThan(2);
    if (damage[0])
      expect(damage[0]).toMatchObject({ code: 'bad-page', lost: false, distrust: true });
    return damage[0];
  };

  it('are held against what the image itself says', async () => {
    expect((await one(4, leaf('c', 9, 4)))!.message).toContain('its own next sibling');
    expect((await one(3, internal([2, 3, 4])))!.message).toContain('itself, as its child');
    expect((await one(9, free(9)))!.message).toContain('itself, as the next');
    expect((await one(6, metadata(16)))!.message).toContain('metadata, which is page 0');
    expect((await one(0, leaf('c', 9)))!.message).toContain('is a leaf page');
    expect((await one(0, free(9)))!.message).toContain('is a free page');
    expect((await one(0, new Uint8Array(512).fill(9)))!.message).toContain(
      'does not read as metadata',
    );
    expect((await one(0xffff_ffff, leaf('c', 9)))!.message).toContain('no page');
    expect(await one(0, metadata(16))).toBeUndefined();
    expect(await one(4, leaf('c', 9, 5))).toBeUndefined();
    expect(await one(1, internal([2, 3, 4]))).toBeUndefined();
    expect(await one(0x8000_0000, leaf('c', 9))).toBeUndefined(); // nothing is known of the tree
  });

  it('are held against the number of pages', async () => {
    const far = await one(0x8000_0002, leaves[0]!, tree);
    expect(far).toBeDefined();
    const beyond = (await one(2 + 1024, leaves[0]!, tree))!;
    expect(beyond.message).toContain(
      'page 1026 of a tree of 16 pages, to which this log can add 1',
    );
    expect(beyond.diagnosis).toContain('bit 2 of the byte at 6 (in page) is flipped');
    expect(await one(16, leaf('zz', 4), tree)).toBeUndefined(); // a new page
    const growing = concat([encodeEntry(1, 0, metadata(100)), encodeEntry(2, 99, leaf('zz', 4))]);
    expect((await scan(growing, tree)).damage).toEqual([]);
    const late = concat([encodeEntry(1, 0, metadata(100)), encodeEntry(2, 110, leaf('zz', 4))]);
    expect((await scan(late)).damage).toMatchObject([{ code: 'bad-page' }]);
  });

  it('are held against the keys that the tree has there', async () => {
    // Page 6 holds e…; it differs from 7, which holds f…, by one bit.
    const newer = concat([leaves[5]!.slice(0, 7), leaves[5]!.slice(7)]);
    newer[500] = 1;
    const wrong = (await one(6, newer, tree))!;
    expect(wrong.message).toContain('page 6 of btree.db holds keys from "e00" to "e19"');
    expect(wrong.evidence).toContain('page 7 of btree.db is a leaf with keys from "f00" to "f19"');
    expect(wrong.diagnosis).toContain('bit 0 of the byte at 7 (in page) is flipped');
    // No page that differs by one bit has such keys: a page that was freed and used anew.
    expect(await one(6, leaf('x', 9), tree)).toBeUndefined();
    // A page that was split off: its keys begin behind those of the old one.
    expect(await one(14, leaf('a1', 9), tree)).toBeUndefined();
    // A free page, but the image is that of the page next to it in bits.
    expect((await one(15, leaves[9]!, tree))!.evidence).toContain(
      'page 11 of btree.db holds this very image',
    );
  });

  it('are held against a tree that is read asynchronously, not against one that fails', async () => {
    const bytes = encodeEntry(1, 6, leaves[5]!);
    const late = (name: string): FileSet => {
      const set = memorySet({ [LOG]: bytes, [TREE]: tree });
      const open = (file: string): ByteSource => {
        const source = set.open(file);
        if (file !== name) return source;
        return {
          ...source,
          name: file,
          size: source.size,
          read: async (target, start, length, position) => {
            await Promise.resolve();
            return source.read(target, start, Math.min(length, 100), position);
          },
        };
      };
      return { ...set, open };
    };
    expect((await scanOf(late(TREE))).damage).toMatchObject([{ code: 'bad-page' }]);
    const broken: FileSet = {
      ...memorySet({ [LOG]: bytes, [TREE]: tree }),
      open(name) {
        if (name === TREE) throw new Error('not for you');
        return new MemorySource(name, bytes);
      },
    };
    expect((await scanOf(broken)).damage).toEqual([]);
  });
});

describe('sequence', () => {
  const entries = [1, 2, 3, 4, 5, 6].map((seq) => encodeEntry(seq, seq + 1, leaves[seq - 1]!));
  const codes = async (...parts: Uint8Array[]) =>
    (await verify(concat(parts))).findings.map(({ code }) => code);

  it('tells of missing, repeated and misplaced entries', async () => {
    const [a, b, c, d, e, f] = entries as [Uint8Array, ...Uint8Array[]];
    expect(await codes(a, b!, c!, d!)).toEqual([]);
    expect(await codes(a, b!, d!, e!)).toEqual(['seq-gap']);
    expect(await codes(a, b!, b!, c!)).toEqual(['seq-duplicate']);
    expect(await codes(a, b!, e!, c!, d!)).not.toEqual([]);
    expect(await codes(c!, d!, e!, f!)).toEqual(['seq-gap']);
  });
});

describe('any bytes', () => {
  it('are tiled by entries and damage, in the scan and in the layout', async () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(
        new Uint8Array(40),
        log.slice(0, ENTRY),
        log.slice(3, ENTRY),
        log.slice(0, 100),
        new Uint8Array([0, 0, 2, 0]),
        encodeEntry(9, 1, internal([4, 5])),
        encodeEntry(9, 0, metadata(9)),
        encodeEntry(9, 3, free(4)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(pieces, { maxLength: 8 }).map(concat),
        fc.integer({ min: 1, max: 900 }),
        async (bytes, windowBytes) => {
          const result = await scan(bytes, tree, { windowBytes });
          expectTiled(bytes.length, result);
          expect(await scan(bytes, tree)).toEqual(result);
          expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('show the fields of every kind of page', async () => {
    const images = [
      leaves[0]!,
      internal([2, 3]),
      free(4),
      metadata(9),
      new Uint8Array(512).fill(200),
    ];
    const bytes = concat(images.map((image, i) => encodeEntry(i + 1, i === 3 ? 0 : 1 + i, image)));
    const spans = await layout(bytes);
    expect(coverageFaults(spans, 0, bytes.length)).toEqual([]);
    const imageOf = (span: Span) => span.children!.find(({ name }) => name === 'image')!;
    const names = spans.map((span) => [
      ...new Set(imageOf(span).children?.map(({ name }) => name) ?? []),
    ]);
    expect(names).toEqual([
      ['type', 'count', 'next_sibling', 'cell', 'unused'],
      ['type', 'count', 'child', 'cell', 'unused'],
      ['type', 'count', 'next', 'unused'],
      ['root', 'height', 'total_keys', 'next_free', 'free_head', 'unused'],
      [],
    ]);
    expect(spans[0]!.children!.map(({ name, value }) => `${name} ${value ?? ''}`.trim())).toEqual([
      'seq 1',
      'page 1',
      'data_length 512',
      'image',
      expect.stringMatching(/^crc [0-9a-f]{8}$/),
    ]);
  });

  it('cost time that grows with their number, whatever they are', async () => {
    for (const pattern of [[0], [255], [0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 128, 0]]) {
      const bytes = new Uint8Array(1_000_000).map((_, i) => pattern[i % pattern.length]!);
      const begun = performance.now();
      const { damage } = await scan(bytes);
      expect(damage).toHaveLength(1);
      // A quarter of a second each; a checksum anew for each byte skipped would be minutes.
      expect(performance.now() - begun).toBeLessThan(10_000);
    }
  });

  it('are left when the scan is aborted, or has seen enough', async () => {
    const set = memorySet({ [LOG]: log });
    const signal = AbortSignal.abort(new Error('enough'));
    const nothing = { record() {}, damage() {} };
    const scanned = btreeV1.scan(set.open(LOG), { limits: DEFAULT_LIMITS, set, signal }, nothing);
    await expect(scanned).rejects.toThrow('enough');
    let seen = 0;
    const done = () => seen >= 2;
    const context = { limits: DEFAULT_LIMITS, set };
    await btreeV1.scan(set.open(LOG), context, { record: () => seen++, damage() {}, done });
    expect(seen).toBe(2);
  });
});

describe('detection', () => {
  const probe = (head: Uint8Array, name = 'unknown', size = head.length): Probe => ({
    name,
    size,
    head: head.subarray(0, 65_536),
    siblings: [name],
  });
  const confidence = (...given: Parameters<typeof probe>) =>
    btreeV1.detect(probe(...given)).confidence;

  it('is certain where a checksum holds', () => {
    expect(confidence(goldenLog)).toBe('certain');
    expect(confidence(flipped(goldenLog, 100, 1))).toBe('certain'); // by the second entry
    expect(confidence(flipped(goldenLog, 100, 1).slice(0, 1040), LOG)).toBe('likely');
    expect(confidence(encodeEntry(1, 2, new Uint8Array(65_536)))).toBe('likely');
    expect(btreeV1.segmentNumber(LOG)).toBe(1);
    expect(btreeV1.segmentNumber('000001.wal')).toBeUndefined();
  });

  it('claims nothing else', () => {
    expect(confidence(new Uint8Array(0))).toBe('no');
    expect(confidence(new Uint8Array(9000))).toBe('no');
    expect(confidence(tree)).toBe('no');
    expect(confidence(fixtureFiles('wal/v1/clean')['000001.wal']!)).toBe('no');
    expect(confidence(fixtureFiles('wal/lsm-v1/clean')['wal.log']!)).toBe('no');
    expect(confidence(fixtureFiles('wal/leveldb/db')['000010.log']!)).toBe('no');
  });
});

describe('writing', () => {
  it('refuses what no tree can have', () => {
    expect(() => encodeEntry(1, 2, new Uint8Array(1000))).toThrow(/power of two/);
    expect(() => encodeEntry(-1, 2, new Uint8Array(512))).toThrow(/seq is -1/);
    expect(() => encodeEntry(1, 2 ** 32, new Uint8Array(512))).toThrow(/page is 4294967296/);
  });
});
