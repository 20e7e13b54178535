import { describe, expect, it } from 'vitest';
import { encodeDataHeader } from '../../../src/formats/bitcask/v2/headers.ts';
import { v2 } from '../../../src/formats/bitcask/v2/index.ts';
import { dataName, HEAD_BYTES, MANIFEST_NAME } from '../../../src/formats/bitcask/v2/layout.ts';
import { RecordCodec } from '../../../src/formats/bitcask/v2/record.ts';
import { type ByteSource, DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { crc32c } from '../../../src/shared/crc32.ts';
import { concat, MemorySource, memorySet } from '../../support/memory.ts';
import {
  cutOut,
  type Files,
  flipped,
  manifestIn,
  put,
  reopened,
  STORE,
  scan,
  store,
  text,
  verify,
  withFile,
} from './v2-store.ts';

const ONE = dataName(1);
const TWO = dataName(2);

/** Ten records of different lengths, none in a batch. */
const ten = Array.from({ length: 10 }, (_, i) =>
  put(i + 1, `key ${i}`, i === 4 ? undefined : 'v'.repeat(10 * i)),
);
const closed = store([ten]);
const bytes = closed[ONE]!;
const { records: whole } = await scan(closed);
const placeOf = (seq: number) => whole[seq - 1]!.offset;
const endOf = (seq: number) => placeOf(seq) + whole[seq - 1]!.length;
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** A closed store of one data file with these bytes in place of its own. */
const changed = (data: Uint8Array): Files => withFile(closed, ONE, data);
/** The same bytes with `change` carried out on a copy. */
const edited = (change: (copy: Uint8Array) => void): Uint8Array => {
  const copy = bytes.slice();
  change(copy);
  return copy;
};

const unexpected = ({ message }: { message: string }) => expect.fail(message);

describe('an intact file', () => {
  it('is told as it was written', async () => {
    expect(whole).toEqual(
      ten.map(({ seq, key, value, timestamp, expires, continued, unsynced }, i) => ({
        ...{ seq, timestamp, expires, continued, unsynced, salvaged: false },
        key: Buffer.from(key).toString(),
        value: value && Buffer.from(value).toString(),
        offset: i === 0 ? 64 : endOf(i),
        length: HEAD_BYTES + key.length + (value?.length ?? 0),
      })),
    );
    expect((await verify(closed)).clean).toBe(true);
  });

  it('is read from the end of any record on', async () => {
    for (const { offset, length, seq } of whole) {
      const { records, damage } = await scan(closed, { from: offset + length });
      expect(damage).toEqual([]);
      expect(records.map((one) => one.seq)).toEqual(numbers(seq + 1, 10));
    }
  });

  it('is told the same whatever the window, and from a stream', async () => {
    for (const windowBytes of [64, 100, 1000]) {
      const { records } = await scan(closed, { limits: { windowBytes }, chunk: 37 });
      expect(records).toEqual(whole);
    }
    const told: number[] = [];
    const memory = new MemorySource(ONE, bytes);
    const stream: ByteSource = {
      name: '-',
      size: undefined,
      forwardOnly: true,
      read: async (target, start, length, position) =>
        memory.read(target, start, Math.min(length, 50), position),
    };
    const context = { limits: DEFAULT_LIMITS, set: memorySet({}) };
    await v2.scan(stream, context, { record: ({ seq }) => told.push(seq), damage: unexpected });
    expect(told).toEqual(numbers(1, 10));
  });

  it('can be left', async () => {
    const told: number[] = [];
    const context = { limits: DEFAULT_LIMITS, set: memorySet(closed) };
    await v2.scan(new MemorySource(ONE, bytes), context, {
      record: ({ seq }) => told.push(seq),
      damage: unexpected,
      done: () => told.length === 3,
    });
    expect(told).toEqual([1, 2, 3]);
  });
});

describe('a flipped bit', () => {
  it('in a head costs nothing: the bit is named, and what mends it', async () => {
    const at = placeOf(6) + 17;
    const { records, damage, order } = await scan(changed(flipped(bytes, at * 8 + 2)));
    expect(records.map(({ salvaged, ...rest }) => ({ ...rest, salvaged: false }))).toEqual(whole);
    expect(records.filter(({ salvaged }) => salvaged).map(({ seq }) => seq)).toEqual([6]);
    expect(order.slice(5, 8)).toEqual([6, 'crc-mismatch', 7]);
    expect(damage).toMatchObject([
      {
        code: 'crc-mismatch',
        offset: placeOf(6),
        length: whole[5]!.length,
        lost: false,
        diagnosis: `bit 2 of the byte at ${at} is flipped`,
        mend: { offset: at, hex: '00' },
      },
    ]);
  });

  it('in a body costs that record, and can be mended', async () => {
    const at = placeOf(6) + HEAD_BYTES + 20;
    const { records, damage } = await scan(changed(flipped(bytes, at * 8)));
    expect(records).toEqual(whole.filter(({ seq }) => seq !== 6));
    expect(damage).toMatchObject([
      {
        code: 'crc-mismatch',
        offset: placeOf(6),
        length: whole[5]!.length,
        records: 1,
        lost: true,
        tail: false,
        evidence: `an intact record follows at ${placeOf(7)}; number 6 is missing`,
        diagnosis: `bit 0 of the byte at ${at} is flipped`,
        mend: { offset: at, hex: '76' },
        subject: 'put "key 5"',
        deleted: false,
      },
    ]);
    expect(Buffer.from(damage[0]!.key!).toString()).toBe('key 5');
  });

  it('in each of ten records costs none of the others', async () => {
    const copy = bytes.slice();
    for (const { offset } of whole) copy[offset + HEAD_BYTES]! ^= 0x10;
    const { records, damage } = await scan(changed(copy));
    expect(records).toEqual([]);
    expect(damage.map(({ offset, length }) => [offset, length])).toEqual(
      whole.map(({ offset, length }) => [offset, length]),
    );
    expect(damage.every(({ diagnosis }) => diagnosis !== undefined)).toBe(true);
  });

  it('that makes a place of it that the record would have elsewhere is not taken for a flip', async () => {
    // Both begin 64 bytes apart, one bit; a record without a body has nothing else to go by.
    const pair = store([[put(1, 'k'.repeat(20), undefined), put(2, '', undefined)]]);
    const [first, second] = (await scan(pair)).records;
    expect(second!.offset - first!.offset).toBe(64);
    const copy = pair[ONE]!.slice();
    copy.copyWithin(first!.offset, second!.offset, second!.offset + second!.length);
    const { records, damage } = await scan(withFile(pair, ONE, copy));
    expect(records).toEqual([second]);
    expect(damage.map(({ code }) => code)).toEqual(['misplaced', 'crc-mismatch']);
  });
});

describe('bytes that were overwritten', () => {
  it('cost the records that they are of', async () => {
    const from = placeOf(4) + 10;
    const to = placeOf(6) + 10;
    const { records, damage } = await scan(changed(edited((copy) => copy.fill(0xee, from, to))));
    expect(records).toEqual(whole.filter(({ seq }) => seq < 4 || seq > 6));
    expect(damage).toMatchObject([
      {
        code: 'crc-mismatch',
        offset: placeOf(4),
        length: endOf(6) - placeOf(4),
        records: 3,
        lost: true,
        evidence: `an intact record follows at ${placeOf(7)}; 4 to 6 are missing`,
      },
    ]);
  });

  it('are told as zeros where they are', async () => {
    const copy = edited((one) => one.fill(0, placeOf(4), placeOf(6)));
    const { records, damage } = await scan(changed(copy));
    expect(records).toEqual(whole.filter(({ seq }) => seq < 4 || seq > 5));
    const length = placeOf(6) - placeOf(4);
    const message = `${length} zero bytes where records belong`;
    expect(damage).toMatchObject([{ code: 'zero-hole', offset: placeOf(4), length, message }]);
  });

  it('behind a head that is intact cost its record and what is hit behind it', async () => {
    const from = placeOf(8) + HEAD_BYTES + 5;
    const copy = edited((one) => one.fill(0xcc, from, placeOf(9) + 20));
    const { records, damage } = await scan(changed(copy));
    expect(records).toEqual(whole.filter(({ seq }) => seq < 8 || seq > 9));
    expect(damage.map(({ code, offset, length }) => [code, offset, length])).toEqual([
      ['crc-mismatch', placeOf(8), whole[7]!.length],
      ['crc-mismatch', placeOf(9), whole[8]!.length],
    ]);
  });
});

describe('records out of their places', () => {
  it('are told of as displaced when bytes are missing before them', async () => {
    const cut = cutOut(bytes, placeOf(3), placeOf(5));
    const { records, damage, order } = await scan(changed(cut));
    const missing = placeOf(5) - placeOf(3);
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 5, 6, 7, 8, 9, 10]);
    expect(order.slice(0, 4)).toEqual([1, 2, 'displaced', 5]);
    expect(damage).toMatchObject([
      {
        code: 'displaced',
        offset: placeOf(3),
        length: 0,
        lost: true,
        message:
          `${missing} bytes are missing before: the record at ${placeOf(3)} belongs at ` +
          `${placeOf(5)}, as do those behind it`,
      },
    ]);
  });

  it('also when the cut went through records', async () => {
    const from = placeOf(3) + 50;
    const { records, damage } = await scan(changed(cutOut(bytes, from, placeOf(5) + 7)));
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 6, 7, 8, 9, 10]);
    expect(damage.map(({ code }) => code)).toEqual(['crc-mismatch', 'crc-mismatch', 'displaced']);
    expect(damage[2]!.message).toContain(`${placeOf(5) + 7 - from} bytes are missing before`);
    // What follows stands where the cut record's own bytes should be.
    const short = await scan(changed(cutOut(bytes, placeOf(8) + 50, endOf(8))));
    expect(short.records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 9, 10]);
    expect(short.damage).toMatchObject([
      { code: 'crc-mismatch', offset: placeOf(8), length: 50, records: 1 },
      { code: 'displaced', offset: placeOf(8) + 50 },
    ]);
    expect(short.damage[0]!.message).toMatch(/; 50 bytes are left of it$/);
  });

  it('when bytes too many stand before them', async () => {
    const junk = new Uint8Array(33).fill(9);
    const more = concat([bytes.slice(0, placeOf(4)), junk, bytes.slice(placeOf(4))]);
    const { records, damage } = await scan(changed(more));
    expect(records.map(({ seq }) => seq)).toEqual(numbers(1, 10));
    expect(damage.map(({ code }) => code)).toEqual(['crc-mismatch', 'displaced']);
    expect(damage[1]!.message).toMatch(/^33 bytes too many stand before/);
  });

  it('stay one finding each where it happened twice', async () => {
    const twice = cutOut(cutOut(bytes, placeOf(8), placeOf(9)), placeOf(3), placeOf(4));
    const { records, damage } = await scan(changed(twice));
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 4, 5, 6, 7, 9, 10]);
    expect(damage.map(({ message }) => Number.parseInt(message, 10))).toEqual([
      whole[2]!.length,
      whole[7]!.length,
    ]);
  });

  it('are misplaced where they are copies, and not told as records', async () => {
    const copy = edited((one) => one.copyWithin(placeOf(8), placeOf(2), endOf(2)));
    const { records, damage } = await scan(changed(copy));
    expect(records).toEqual(whole.filter(({ seq }) => seq !== 8));
    expect(damage).toMatchObject([
      { code: 'misplaced', offset: placeOf(8), length: whole[1]!.length },
      { code: 'crc-mismatch', offset: placeOf(8) + whole[1]!.length },
    ]);
    expect(damage[0]!.message).toContain(`belongs at offset ${placeOf(2)} of this file`);
  });

  it('are misplaced where they are of another file, which the manifest knows', async () => {
    const twins = store([ten, ten.map((one) => ({ ...one, seq: one.seq + 10 }))]);
    const copy = twins[ONE]!.slice();
    copy.set(twins[TWO]!.subarray(placeOf(5), endOf(6)), placeOf(5));
    const { records, damage } = await scan(withFile(twins, ONE, copy));
    expect(records).toEqual(whole.filter(({ seq }) => seq < 5 || seq > 6));
    expect(damage).toMatchObject([
      { code: 'misplaced', offset: placeOf(5), length: endOf(6) - placeOf(5), records: 2 },
    ]);
    expect(damage[0]!.message).toContain(`belongs at offset ${placeOf(5)} of ${TWO}`);
    // Of another store nothing is known.
    const other = store([ten], { storeId: 99n });
    copy.set(other[ONE]!.subarray(placeOf(5), endOf(6)), placeOf(5));
    const foreign = await scan(withFile(twins, ONE, copy));
    expect(foreign.damage.map(({ code }) => code)).toEqual(['misplaced']);
    expect(foreign.damage[0]!.message).toContain('another store');
  });
});

describe('a batch', () => {
  const batch = store([
    [
      put(1, 'a', 'before'),
      ...[2, 3, 4, 5].map((seq) => put(seq, `b${seq}`, 'in it', { continued: seq < 5 })),
      put(6, 'c', 'behind'),
      ...[7, 8].map((seq) => put(seq, `d${seq}`, 'two', { continued: seq < 8 })),
    ],
  ]);
  const data = batch[ONE]!;
  const place = async (seq: number) => (await scan(batch)).records[seq - 1]!;

  it('is told when it is whole', async () => {
    const { records } = await scan(batch);
    expect(records.map(({ seq, continued }) => [seq, continued])).toEqual([
      [1, false],
      [2, true],
      [3, true],
      [4, true],
      [5, false],
      [6, false],
      [7, true],
      [8, false],
    ]);
  });

  it('is not told at all when any of its records is lost, with head or body', async () => {
    for (const seq of [2, 3, 4, 5]) {
      const { offset, length } = await place(seq);
      for (const [from, bytesHit] of [
        [0, length],
        [HEAD_BYTES, 2],
      ] as const) {
        const copy = data.slice().fill(0xaa, offset + from, offset + from + bytesHit);
        const { records, damage } = await scan(withFile(batch, ONE, copy));
        expect(records.map((one) => one.seq)).toEqual([1, 6, 7, 8]);
        const lost = damage.map((one) => [one.code, one.records]);
        expect(lost.filter(([code]) => code === 'crc-mismatch')).toEqual([['crc-mismatch', 1]]);
        const others = lost.filter(([code]) => code === 'torn-batch');
        expect(others.reduce((sum, [, records]) => sum + Number(records), 0)).toBe(3);
      }
    }
  });

  it('is told with a record whose head is mended', async () => {
    const { offset } = await place(3);
    const { records, order } = await scan(withFile(batch, ONE, flipped(data, (offset + 9) * 8)));
    expect(records.map(({ seq }) => seq)).toEqual(numbers(1, 8));
    expect(order).toEqual([1, 2, 3, 'crc-mismatch', 4, 5, 6, 7, 8]);
  });

  it('is not told when records were cut out of it', async () => {
    const { offset, length } = await place(3);
    const { records, order } = await scan(
      withFile(batch, ONE, cutOut(data, offset, offset + length)),
    );
    expect(records.map(({ seq }) => seq)).toEqual([1, 6, 7, 8]);
    expect(order).toEqual([1, 'torn-batch', 'displaced', 'torn-batch', 6, 7, 8]);
  });

  it('that breaks off at the end is torn, if the file was written to', async () => {
    const { offset } = await place(8);
    const cut = withFile(reopened(batch), ONE, data.slice(0, offset));
    const { records, damage } = await scan(cut);
    expect(records.map(({ seq }) => seq)).toEqual(numbers(1, 6));
    const { offset: from } = await place(7);
    const torn = { code: 'torn-tail', offset: from, length: offset - from, records: 1, tail: true };
    expect(damage).toMatchObject([torn]);
    expect((await verify(cut)).verdict).toBe('torn-tail');
    // In a store that was closed it is damage.
    const { damage: hole } = await scan(withFile(batch, ONE, data.slice(0, offset)));
    expect(hole).toMatchObject([{ code: 'torn-batch', tail: false, severity: 'error' }]);
  });

  it('that says that it goes on, and does not, is damage in the middle', async () => {
    const numbersOf = [1, 2, 9];
    const odd = store([numbersOf.map((seq) => put(seq, 'k', 'v', { continued: seq < 9 }))]);
    const { order } = await scan(odd);
    expect(order).toEqual(['torn-batch', 'torn-batch']);
    expect((await scan(store([[put(1, 'k', 'v', { continued: true })]]))).order).toEqual([
      'torn-batch',
    ]);
  });

  it('of more bytes than the limit is not held in memory', async () => {
    const { order, damage } = await scan(batch, { limits: { recordBytes: 120, windowBytes: 64 } });
    expect(order).toEqual([1, 'bad-length', 'torn-batch', 6, 7, 8]);
    expect(damage[0]!.message).toBe('a batch of over 120 bytes, which is the limit');
  });

  it('may be begun in its middle where reading goes on', async () => {
    const { offset, length } = await place(3);
    const { records, damage } = await scan(batch, { from: offset + length });
    expect(damage).toEqual([]);
    expect(records.map(({ seq }) => seq)).toEqual([4, 5, 6, 7, 8]);
  });
});

describe('the end of a file that was written to', () => {
  const open = reopened(closed);
  const cutAt = (length: number): Files => withFile(open, ONE, bytes.slice(0, length));

  it('is torn wherever it is cut within a record', async () => {
    for (let length = 65; length < bytes.length; length++) {
      const last = whole.findLast(({ offset }) => offset < length)!;
      if (last.offset + last.length === length) continue;
      const { records, damage } = await scan(cutAt(length));
      expect(records).toEqual(whole.filter(({ seq }) => seq < last.seq));
      expect(damage, `${length}`).toMatchObject([
        { code: 'torn-tail', severity: 'warning', offset: last.offset, tail: true, lost: true },
      ]);
      expect(last.offset + damage[0]!.length).toBe(length);
    }
  });

  it('is damage where the manifest says that it was durable', async () => {
    const durable = { dataBytes: endOf(8), records: 8, seqFirst: 1, seqLast: 8 };
    const files = reopened(closed, durable);
    expect((await verify(files)).clean).toBe(true);
    const cut = await scan(withFile(files, ONE, bytes.slice(0, endOf(8) - 1)));
    expect(cut.damage).toMatchObject([{ code: 'bad-length', severity: 'error', tail: false }]);
    const behind = await scan(withFile(files, ONE, bytes.slice(0, endOf(8) + 1)));
    expect(behind.damage).toMatchObject([{ code: 'torn-tail', tail: true }]);
  });

  it('may have a checksum that does not hold, or zeros', async () => {
    const hit = await scan(withFile(open, ONE, flipped(bytes, (endOf(10) - 3) * 8)));
    expect(hit.damage).toMatchObject([
      { code: 'torn-tail', mend: { offset: endOf(10) - 3 }, diagnosis: expect.any(String) },
    ]);
    expect(hit.damage[0]!.message).toMatch(/^crc-mismatch: stored/);
    const zeros = await scan(withFile(open, ONE, concat([bytes, new Uint8Array(5000)])));
    const message = '5000 zero bytes where records belong';
    expect(zeros.damage).toMatchObject([{ code: 'torn-tail', length: 5000, message }]);
    expect(zeros.records).toEqual(whole);
  });

  it('is torn before intact records too, if none of them proves a hole', async () => {
    // 4 and 5 were durable when 6 was written; nothing was synced since.
    const unsynced = ten.map((one) => ({ ...one, unsynced: one.seq <= 5 ? 1 : one.seq - 5 }));
    const files = reopened(store([unsynced]));
    const data = files[ONE]!;
    const hitAt = async (seq: number) => {
      const copy = data.slice().fill(0, placeOf(seq), endOf(seq));
      return scan(withFile(files, ONE, copy));
    };
    for (const seq of [6, 7, 9]) {
      const { records, damage } = await hitAt(seq);
      expect(records.map((one) => one.seq)).toEqual(numbers(1, seq - 1));
      expect(damage).toMatchObject([
        {
          code: 'torn-tail',
          offset: placeOf(seq),
          length: bytes.length - placeOf(seq),
          tail: true,
        },
      ]);
    }
    for (const seq of [1, 3, 5]) {
      const { records, damage } = await hitAt(seq);
      expect(records.map((one) => one.seq)).toEqual(numbers(1, 10).filter((one) => one !== seq));
      expect(damage).toMatchObject([{ code: 'zero-hole', offset: placeOf(seq), tail: false }]);
    }
    // The manifest says that records were there before, and they are.
    const known = { dataBytes: endOf(5), records: 5, seqFirst: 1, seqLast: 5 };
    const later = reopened(store([unsynced]), known);
    const copy = data.slice().fill(0, placeOf(7), endOf(7));
    expect(await verify(withFile(later, ONE, copy))).toMatchObject({
      verdict: 'torn-tail',
      findings: [{ code: 'torn-tail', offset: placeOf(7) }],
    });
    // Without a manifest nothing tells which number was due at the very front.
    const alone = data.slice().fill(0, placeOf(1), endOf(1));
    expect((await scan({ [ONE]: alone })).damage).toMatchObject([{ code: 'zero-hole' }]);
  });

  it('in a stream is torn only if nothing follows', async () => {
    const copy = edited((one) => one.fill(0, placeOf(9), endOf(9)));
    const told: string[] = [];
    const memory = new MemorySource('-', copy);
    const stream: ByteSource = {
      ...{ name: '-', size: undefined, forwardOnly: true },
      read: (target, start, length, position) => memory.read(target, start, length, position),
    };
    const context = { limits: DEFAULT_LIMITS, set: memorySet({}) };
    await v2.scan(stream, context, {
      record() {},
      damage: ({ code }) => told.push(code),
    });
    expect(told).toEqual(['zero-hole']);
  });
});

describe('a header that is hit', () => {
  it('costs nothing, whatever is left of it and whatever lies beside', async () => {
    for (const [from, to] of [
      [0, 64],
      [0, 8],
      [56, 64],
      [30, 64],
    ] as const) {
      const copy = edited((one) => one.fill(0x5a, from, to));
      for (const files of [changed(copy), { [ONE]: copy }]) {
        const { records, damage } = await scan(files);
        expect(records).toEqual(whole);
        expect(damage).toMatchObject([{ code: 'bad-header', offset: 0, length: 64, lost: false }]);
      }
    }
  });

  it('is mended by the manifest, and the bit is named', async () => {
    const { damage } = await scan(changed(flipped(bytes, 25 * 8 + 3)));
    const hex = Buffer.from(bytes.subarray(0, 64)).toString('hex');
    expect(damage).toMatchObject([
      { diagnosis: 'bit 3 of the byte at 25 is flipped', mend: { offset: 0, hex } },
    ]);
    const crc = await scan(changed(flipped(bytes, 61 * 8)));
    expect(crc.damage).toMatchObject([{ diagnosis: 'bit 0 of the byte at 61 is flipped' }]);
  });

  it('with its first record too is made out by those behind', async () => {
    const copy = edited((one) => one.fill(0, 0, endOf(1) - 5));
    const { records, damage } = await scan({ [ONE]: copy });
    expect(records).toEqual(whole.slice(1));
    expect(damage.map(({ code }) => code)).toEqual(['bad-header', 'crc-mismatch']);
  });

  it('and nothing behind it that tells, leaves nothing', async () => {
    for (const length of [0, 1, 63]) {
      const { records, damage } = await scan(changed(bytes.slice(0, length)));
      expect(records).toEqual([]);
      expect(damage).toMatchObject([{ code: 'bad-header', length, lost: length > 0 }]);
    }
    const { damage } = await scan({ [ONE]: new Uint8Array(500) });
    expect(damage.map(({ code }) => code)).toEqual(['bad-header', 'torn-tail']);
    expect(damage[0]!.message).toMatch(/^zeros where the header belongs/);
  });
});

describe('a file that does not belong', () => {
  it('under its name is told, and read', async () => {
    const { records, damage } = await scan({ [TWO]: bytes }, { name: TWO });
    expect(records.map(({ seq }) => seq)).toEqual(numbers(1, 10));
    expect(damage).toMatchObject([{ code: 'misplaced-file', lost: false }]);
    expect(damage[0]!.message).toBe('the header says file 1, the name 2');
  });

  it('to the store is told, and read', async () => {
    const other = store([ten], { storeId: 99n });
    const { records, damage } = await scan(changed(other[ONE]!));
    expect(records).toEqual(whole);
    expect(damage).toMatchObject([{ code: 'foreign-file', lost: false }]);
    expect(damage[0]!.message).toBe(
      `of store 0000000000000063, the manifest is of store ${STORE.toString(16)}`,
    );
  });

  it('to this version of the layout is not read', async () => {
    for (const [at, byte, words] of [
      [8, 3, 'layout version 3, this reader knows 2'],
      [16, 1, 'incompatible feature flags 00000001 are not known'],
      [32, 7, 'kind 7 is not known'],
    ] as const) {
      const copy = bytes.slice();
      copy[at] = byte;
      new DataView(copy.buffer).setUint32(60, crc32c.of(copy, 0, 60), true);
      const { records, damage } = await scan({ [ONE]: copy });
      expect(records).toEqual([]);
      expect(damage).toMatchObject([
        { code: 'unsupported', message: `${words}: the file is not read` },
      ]);
    }
  });
});

describe('what the checksums vouch for, and yet is wrong', () => {
  /** A file of these records, each changed before its checksums are made. */
  function forged(changes: ((bytes: Uint8Array, view: DataView) => void)[]): Uint8Array {
    const header = encodeDataHeader({ file: 1, storeId: STORE, kind: 1 });
    const out = new Uint8Array(4096);
    out.set(header);
    const codec = new RecordCodec(new DataView(header.buffer).getUint32(60, true));
    let at = 64;
    changes.forEach((change, i) => {
      const record = out.subarray(at);
      const view = new DataView(out.buffer, at);
      const total = codec.encode(
        ...([record, view, 0, at, i + 1, text('key'), text('value'), 0, 0, false, 1] as const),
      );
      change(record, view);
      codec.seal(record, view, 0, at, at + total - at);
      at += total;
    });
    return out.slice(0, at);
  }
  const same = () => {};

  it('is a bad op, and costs that record', async () => {
    const kinds = forged([
      same,
      (record) => {
        record[38] = 9;
      },
      same,
    ]);
    const { order, damage } = await scan({ [ONE]: kinds });
    expect(order).toEqual([1, 'bad-op', 3]);
    expect(damage[0]).toMatchObject({ records: 1, length: 52, subject: 'put "key"' });
    expect(damage[0]!.message).toMatch(/^the checksum holds, but kind 9, flags 0, seq 2 make no/);
  });

  it('is a number that is not higher than the one before', async () => {
    const low = forged([same, same, (_, view) => view.setUint32(8, 1, true), same]);
    const { order, damage } = await scan({ [ONE]: low });
    expect(order).toEqual([1, 2, 'seq-regression', 1, 4]);
    expect(damage[0]).toMatchObject({ lost: false });
    expect(damage[0]!.message).toBe('seq 1 follows 2, expected a higher one');
  });

  it('but not in a merged file, whose numbers are in any order', async () => {
    const merged = store([[put(5, 'a', 'b'), put(3, 'c', 'd'), put(4, 'e', 'f')]], { merged: [0] });
    expect((await scan(merged)).order).toEqual([5, 3, 4]);
    expect((await verify(merged)).clean).toBe(true);
    expect(manifestIn(merged).files).toMatchObject([{ merged: true, seqFirst: 3, seqLast: 5 }]);
  });
});

describe('limits', () => {
  it('leave out a record that exceeds them, and nothing else', async () => {
    const limits = { recordBytes: 130, windowBytes: 64 };
    const { records, damage } = await scan(closed, { limits });
    expect(records.map(({ seq }) => seq)).toEqual(numbers(1, 9));
    expect(damage).toMatchObject([{ code: 'bad-length', offset: placeOf(10), records: 1 }]);
    expect(damage[0]!.message).toBe(`a record of ${whole[9]!.length} bytes, the limit is 130`);
    const most = await scan(closed, { limits: { ...limits, recordBytes: whole[9]!.length } });
    expect(most.records).toEqual(whole);
  });

  it('bound the damage that is held back', async () => {
    // A file all of whose records belong to another.
    const header = encodeDataHeader({ file: 2, storeId: STORE, kind: 1 });
    const many = store([numbers(1, 3000).map((seq) => put(seq, 'k', 'v'))]);
    const copy = many[ONE]!.slice();
    copy.set(header);
    const { records, damage } = await scan({ [TWO]: copy }, { name: TWO });
    expect(records).toEqual([]);
    expect(damage).toMatchObject([{ code: 'torn-tail', offset: 64, length: copy.length - 64 }]);
  });
});

it('a manifest that cannot be read leaves the files to speak for themselves', async () => {
  const files = withFile(closed, MANIFEST_NAME, new Uint8Array(10));
  const { records, damage } = await scan(files);
  expect(records).toEqual(whole);
  expect(damage).toEqual([]);
});
