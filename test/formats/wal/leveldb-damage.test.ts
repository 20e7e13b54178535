import { describe, expect, it } from 'vitest';
import { leveldb } from '../../../src/formats/wal/leveldb/index.ts';
import { concat, fixtureFiles } from '../../support/memory.ts';
import { batch, flip, layoutFaults, logOf, puts, scan, threeBlocks } from './block-log.ts';

const fragments = fixtureFiles('wal/leveldb/fragments');

describe('damage to a block log', () => {
  it('one hit record costs one record, and the bit is named', async () => {
    const { bytes, places } = logOf(puts(20, 30));
    const { offset, end } = places[7]!;
    const hurt = flip(bytes, offset + 30, 3);
    const { records, damage } = await scan(leveldb, hurt);
    expect(records.length).toBe(19);
    expect(damage).toEqual([
      {
        code: 'crc-mismatch',
        severity: 'error',
        file: '000007.log',
        offset,
        length: end - offset,
        message: expect.stringMatching(
          /^stored \w{8}, computed \w{8} over type, data of a fragment of 61 bytes, type full$/,
        ),
        evidence: `an intact fragment follows at ${end}`,
        diagnosis: `bit 3 of the byte at ${offset + 30} is flipped`,
        mend: { offset: offset + 30, hex: bytes[offset + 30]!.toString(16) },
        subject: expect.stringContaining('put "key-00'),
        repair: expect.any(String),
        records: 1,
        tail: false,
        lost: true,
      },
    ]);
  });

  it('a flip in the stored checksum and in the type are told as such', async () => {
    const { bytes, places } = logOf(puts(5, 30));
    const { offset } = places[2]!;
    const stored = await scan(leveldb, flip(bytes, offset + 1, 6));
    expect(stored.damage[0]!.diagnosis).toContain(`at ${offset + 1} (the stored checksum)`);
    const type = await scan(leveldb, flip(bytes, offset + 6, 4));
    expect(type.damage[0]!.message).toContain('whose type 17 is unknown');
    expect(type.damage[0]!.diagnosis).toBe(`bit 4 of the byte at ${offset + 6} is flipped`);
    expect(type.damage[0]!.mend).toEqual({ offset: offset + 6, hex: '01' });
    expect(type.records.length).toBe(4);
  });

  it('loses nothing when the length alone is hit', async () => {
    const { bytes, places } = logOf(puts(20, 30));
    for (const which of [0, 7, 19]) {
      const { offset, end } = places[which]!;
      for (let bit = 0; bit < 16; bit++) {
        const at = offset + 4 + (bit >>> 3);
        const { records, damage } = await scan(leveldb, flip(bytes, at, bit & 7));
        expect(records.length).toBe(20);
        expect(records[which]!.salvaged).toBe(true);
        expect(damage).toMatchObject([
          {
            code: 'bad-length',
            offset,
            length: end - offset,
            lost: false,
            records: 0,
            diagnosis: `bit ${bit & 7} of the byte at ${at} is flipped`,
            mend: { offset: offset + 4, hex: '3600' },
          },
        ]);
      }
    }
  });

  it('keeps hit neighbours apart, and what a hit length leads over', async () => {
    const { bytes, places } = logOf(puts(20, 30));
    let hurt = flip(bytes, places[4]!.offset + 20, 0);
    hurt = flip(hurt, places[5]!.offset + 20, 0);
    expect((await scan(leveldb, hurt)).damage.map(({ offset }) => offset)).toEqual([
      places[4]!.offset,
      places[5]!.offset,
    ]);
    // All records have 61 bytes: with a length of 115 it seems to end where the next one does.
    const longer = bytes.slice();
    longer[places[4]!.offset + 4] = 54 + 61;
    const { records, damage } = await scan(leveldb, longer);
    expect(records.length).toBe(20);
    expect(damage).toMatchObject([{ code: 'bad-length', lost: false }]);
  });

  it('reads on in the next block when nothing in this one can be told', async () => {
    const { bytes, places } = logOf(puts(1200, 30));
    const hurt = bytes.slice();
    const from = places[500]!.offset;
    hurt.fill(0xa5, from, 32768);
    const { records, damage } = await scan(leveldb, hurt);
    const next = places.findIndex(({ offset }) => offset >= 32768);
    // The one that goes on in the next block is lost, and its end has no beginning.
    expect(records.length).toBe(1200 - (next - 500));
    expect(damage.map(({ code, offset }) => [code, offset])).toEqual([
      ['bad-length', from],
      ['fragment', 32768],
    ]);
    expect(damage[0]).toMatchObject({ length: 32768 - from, lost: true, tail: false });
    expect(damage[0]!.message).toContain('length 42405');
  });

  it('tells zeros that should be records, and dirt in a trailer', async () => {
    const { bytes, places } = logOf(puts(1200, 30));
    const hole = bytes.slice();
    hole.fill(0, places[500]!.offset, 32768);
    const zeros = await scan(leveldb, hole);
    expect(zeros.damage.map(({ code }) => code)).toEqual(['zero-fill', 'fragment']);
    const inside = bytes.slice();
    inside.fill(0, places[100]!.offset, places[103]!.offset + 5);
    const sector = await scan(leveldb, inside);
    expect(sector.damage).toMatchObject([{ code: 'zero-fill', offset: places[100]!.offset }]);
    expect(sector.records.length).toBe(1196);

    // Up to the very start of a record, and many of them: one finding all the same.
    const { offset } = places[100]!;
    inside.fill(0, offset, places[400]!.offset);
    const sectors = await scan(leveldb, inside);
    expect(sectors.damage).toMatchObject([
      { code: 'zero-fill', offset, length: places[400]!.offset - offset },
    ]);
    expect(sectors.records.length).toBe(900);

    const fill = logOf([
      batch(1, [[1, 'k', 'v'.repeat(32768 - 7 - 12 - 6 - 5)]]),
      ...puts(2, 5, 2),
    ]);
    expect(fill.places[0]!.end).toBe(32763);
    const dirty = await scan(leveldb, flip(fill.bytes, 32765, 2));
    expect(dirty.records.length).toBe(3);
    expect(dirty.damage).toMatchObject([
      { code: 'zero-fill', severity: 'warning', offset: 32763, length: 5, lost: false },
    ]);
    expect(await layoutFaults(leveldb, flip(fill.bytes, 32765, 2))).toEqual([]);
  });

  it('guesses what is lost only where a record begins', async () => {
    const { bytes, places } = threeBlocks();
    const first = await scan(leveldb, flip(bytes, places[100]!.offset + 100, 1));
    expect(first.damage[0]).toMatchObject({ code: 'crc-mismatch', subject: 'put "large"' });
    expect(first.damage[0]!.mend).toBeUndefined();
    const middle = await scan(leveldb, flip(bytes, 40_000, 1));
    expect(middle.damage.map(({ code }) => code)).toEqual(['fragment', 'crc-mismatch', 'fragment']);
    expect(middle.damage[1]!.subject).toBeUndefined();
  });

  it('tells fragments without start and without end', async () => {
    const { bytes, places } = threeBlocks();
    const large = places[100]!;
    const cut = (from: number, to: number) => concat([bytes.subarray(0, from), bytes.subarray(to)]);
    // The middle block is gone: FIRST, LAST fit together, and the payload does not.
    const middle = await scan(leveldb, cut(32768, 65536));
    expect(middle.damage).toMatchObject([{ code: 'bad-length', offset: large.offset }]);
    // The first block is gone.
    const first = await scan(leveldb, bytes.subarray(32768));
    expect(first.damage).toMatchObject([
      { code: 'fragment', offset: 0, length: large.end - 32768, lost: true },
    ]);
    expect(first.damage[0]!.message).toContain('a middle fragment without a first');
    expect(first.records.length).toBe(20);
    // A FIRST inside a record: the file's front twice.
    const twice = await scan(leveldb, concat([bytes.subarray(0, 32768), bytes]));
    expect(twice.damage).toMatchObject([
      { code: 'fragment', offset: large.offset, length: 32768 - large.offset },
    ]);
    expect(twice.damage[0]!.message).toContain('a first fragment without a last');
    expect(twice.records.length).toBe(221);
    for (const broken of [
      cut(32768, 65536),
      bytes.subarray(32768),
      concat([bytes.subarray(0, 32768), bytes]),
    ]) {
      expect(await layoutFaults(leveldb, broken)).toEqual([]);
    }
  });

  it('takes an empty FIRST at the end of a block for what old writers left', async () => {
    const filled = logOf([batch(1, [[1, 'k', 'v'.repeat(32768 - 7 - 7 - 12 - 6)]])]);
    expect(filled.bytes.length).toBe(32761);
    const empty = logOf([batch(1, [[1, 'k', 'v'.repeat(32768 - 7 - 7 - 12 - 6)]]), puts(1, 5)[0]!]);
    const rest = logOf(puts(3, 5, 2)).bytes;
    const bytes = concat([empty.bytes.subarray(0, 32768), rest]);
    const { records, damage } = await scan(leveldb, bytes);
    expect(records.length).toBe(4);
    expect(damage).toEqual([]);
    expect(await layoutFaults(leveldb, bytes)).toEqual([]);
  });

  it('lays out an empty FIRST whose LAST is hit', async () => {
    const bytes = flip(flip(fragments['000003.log']!, 32781, 5), 41142, 0);
    const { damage } = await scan(leveldb, bytes, { name: '000003.log' });
    expect(damage.map(({ offset }) => offset)).toEqual([32768, 32818]);
    expect(await layoutFaults(leveldb, bytes, '000003.log')).toEqual([]);
  });
});
