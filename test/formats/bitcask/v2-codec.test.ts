import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HintEntry } from '../../../src/formats/bitcask/model.ts';
import { v2Encoder } from '../../../src/formats/bitcask/v2/encode.ts';
import {
  decodeDataHeader,
  decodeHintHeader,
  encodeDataHeader,
  encodeHintHeader,
} from '../../../src/formats/bitcask/v2/headers.ts';
import {
  checkHint,
  type ExpectedHint,
  HintEncoder,
  visitHint,
} from '../../../src/formats/bitcask/v2/hint.ts';
import {
  BLOCK_BYTES_MAX,
  FILE_BYTES_MAX,
  HEAD_BYTES,
  MERGED,
  WRITTEN,
} from '../../../src/formats/bitcask/v2/layout.ts';
import { decodeManifest, encodeManifest } from '../../../src/formats/bitcask/v2/manifest.ts';
import {
  expiresOf,
  isDeletion,
  RecordCodec,
  seqOf,
  timestampOf,
  unsyncedOf,
} from '../../../src/formats/bitcask/v2/record.ts';
import { crc32c } from '../../../src/shared/crc32.ts';
import { concat } from '../../support/memory.ts';
import { flipped, put, STORE, text } from './v2-store.ts';

const seqs = fc.maxSafeNat();
const u32 = fc.nat(0xffff_ffff);
const u48 = fc.nat(2 ** 48 - 1);
const u64 = fc.bigInt(0n, 2n ** 64n - 1n);

describe('headers', () => {
  it('read back what was written', () => {
    fc.assert(
      fc.property(u32, u64, fc.constantFrom(WRITTEN, MERGED), (file, storeId, kind) => {
        const bytes = encodeDataHeader({ file, storeId, kind });
        expect(bytes.length).toBe(64);
        const common = { file, storeId, intact: true, version: 2, incompatible: 0 };
        expect(decodeDataHeader(bytes)).toMatchObject({ ...common, kind });
        expect(decodeHintHeader(bytes)).toBeUndefined();
        const sizes = { dataBytes: file * 3, entries: 5, blocks: 2, hintBytes: file };
        const hint = encodeHintHeader({ file, storeId, ...sizes });
        expect(decodeHintHeader(hint)).toMatchObject({ ...common, ...sizes });
        expect(decodeDataHeader(hint)).toBeUndefined();
      }),
    );
  });

  it('tell of any flipped bit', () => {
    const bytes = encodeDataHeader({ file: 7, storeId: STORE, kind: WRITTEN });
    for (let bit = 0; bit < 512; bit++) {
      expect(decodeDataHeader(flipped(bytes, bit))?.intact ?? false, `bit ${bit}`).toBe(false);
    }
    expect(decodeDataHeader(bytes.subarray(0, 63))).toBeUndefined();
  });
});

describe('RecordCodec', () => {
  const buffer = new Uint8Array(1024);
  const view = new DataView(buffer.buffer);
  const key = text('a key');
  const value = text('a value');

  it('checks what it encoded, in its place only', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const time = fc.double({ noDefaultInfinity: true });
    fc.assert(
      fc.property(
        fc.record({ crc: u32, at: fc.nat(50), offset: u32, seq: seqs, key: bytes, time }),
        fc.option(bytes, { nil: undefined }),
        fc.record({ expires: u48, unsynced: seqs, other: fc.integer({ min: 1, max: 0xffff }) }),
        ({ crc, at, offset, seq, key, time }, value, { expires, unsynced, other }) => {
          const codec = new RecordCodec(crc);
          const total = codec.encode(
            ...([buffer, view, at, offset, seq, key, value, time, expires, false] as const),
            unsynced,
          );
          expect(total).toBe(HEAD_BYTES + key.length + (value?.length ?? 0));
          expect(codec.check(buffer, view, at, total, offset)).toBe(total);
          expect(codec.check(buffer, view, at, total - 1, offset)).toBe(0);
          expect(codec.check(buffer, view, at, total, (offset ^ other) >>> 0)).toBe(0);
          expect(new RecordCodec(crc ^ other).check(buffer, view, at, total, offset)).toBe(0);
          expect(codec.headHolds(buffer, view, at, offset)).toBe(true);
          expect(seqOf(view, at)).toBe(seq);
          expect(timestampOf(view, at)).toBe(time);
          expect(expiresOf(view, at)).toBe(expires);
          expect(isDeletion(buffer, at)).toBe(value === undefined);
          expect(unsyncedOf(view, at)).toBe(Math.min(unsynced, 0xffff_ffff));
        },
      ),
    );
  });

  it('sees any flipped bit', () => {
    const codec = new RecordCodec(0x1234_5678);
    const total = codec.encode(buffer, view, 0, 64, 9, key, value, 1.5, 77, true, 3);
    for (let bit = 0; bit < total * 8; bit++) {
      const bytes = flipped(buffer, bit);
      const found = codec.check(bytes, new DataView(bytes.buffer), 0, 1024, 64);
      expect(found, `bit ${bit}`).toBe(0);
    }
  });

  it('marks the records behind a continued one as of its batch', () => {
    const codec = new RecordCodec(1);
    const flags = [true, true, false, false].map((continued) => {
      codec.encode(buffer, view, 0, 64, 1, key, value, 0, 0, continued, 1);
      return buffer[39];
    });
    expect(flags).toEqual([1, 3, 2, 0]);
  });

  it('does not take for whole what the layout does not know, whatever its checksums', () => {
    const codec = new RecordCodec(5);
    const changes: [number, number][] = [
      [38, 0],
      [38, 3],
      [39, 4],
      [14, 0x20],
    ];
    for (const [at, byte] of changes) {
      const total = codec.encode(buffer, view, 0, 64, 1, key, value, 0, 0, false, 1);
      buffer[at] = byte;
      codec.seal(buffer, view, 0, 64, total);
      expect(codec.headHolds(buffer, view, 0, 64)).toBe(true);
      expect(codec.check(buffer, view, 0, total, 64), `byte ${at}`).toBe(0);
    }
    // A deletion with a value.
    const total = codec.encode(buffer, view, 0, 64, 1, key, value, 0, 0, false, 1);
    buffer[38] = 2;
    codec.seal(buffer, view, 0, 64, total);
    expect(codec.check(buffer, view, 0, total, 64)).toBe(0);
  });
});

describe('the manifest', () => {
  const file = fc.record({
    sealed: fc.boolean(),
    merged: fc.boolean(),
    hint: fc.boolean(),
    dataBytes: seqs,
    records: seqs,
    seqFirst: seqs,
    seqLast: seqs,
    dataCrc: u32,
    hintCrc: u32,
  });
  const manifests = fc
    .record({
      storeId: u64,
      generation: u64,
      nextSeq: seqs,
      nextFile: u32,
      closed: fc.boolean(),
      files: fc.array(file, { maxLength: 6 }),
    })
    .map((one) => ({ ...one, files: one.files.map((each, i) => ({ file: i * 2 + 1, ...each })) }));

  it('reads back what was written', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const bytes = encodeManifest(manifest);
        expect(bytes.length).toBe(64 + 64 * manifest.files.length);
        expect(decodeManifest(bytes)).toEqual(manifest);
      }),
    );
  });

  it('says in words what is wrong with it', () => {
    const [manifest] = fc.sample(manifests, { numRuns: 1, seed: 3 });
    const files = [1, 2, 3].map((number) => ({ ...fc.sample(file, 1)[0]!, file: number }));
    const bytes = encodeManifest({ ...manifest!, files });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      expect(decodeManifest(flipped(bytes, bit)), `bit ${bit}`).toMatch(/stored checksum/);
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeManifest(bytes.subarray(0, length)), `${length}`).toMatch(/^\d+ bytes, /);
    }
    expect(decodeManifest(concat([bytes, new Uint8Array(64)]))).toMatch(/320 bytes, expected 256/);
    // Entries in another order, and entries of an older manifest.
    const swapped = bytes.slice();
    swapped.copyWithin(64, 128, 192);
    swapped.set(bytes.subarray(64, 128), 128);
    expect(decodeManifest(swapped)).toMatch(/^entry 0 at 64: stored checksum/);
    const older = encodeManifest({ ...manifest!, generation: manifest!.generation ^ 1n, files });
    expect(decodeManifest(concat([bytes.slice(0, 64), older.slice(64)]))).toMatch(/^entry 0 at 64/);
  });

  it('refuses what only a newer reader knows', () => {
    const bytes = encodeManifest({
      ...{ storeId: 1n, generation: 1n, nextSeq: 1, nextFile: 1, closed: true, files: [] },
    });
    const changed = (at: number, byte: number) => {
      const copy = bytes.slice();
      copy[at] = byte;
      new DataView(copy.buffer).setUint32(60, crc32c.of(copy, 0, 60), true);
      return decodeManifest(copy);
    };
    expect(changed(8, 3)).toBe('layout version 3, this reader knows 2');
    expect(changed(16, 4)).toBe('incompatible feature flags 00000004 are not known');
    expect(changed(12, 4)).toMatchObject({ closed: true });
  });
});

describe('hint files', () => {
  const entry = fc.record({
    key: fc.uint8Array({ maxLength: 40 }),
    valueLength: fc.nat(1000),
    seq: seqs,
    expires: u48,
    deleted: fc.boolean(),
  });

  /** Entries of records that lie back to back, as a hint file tells of them. */
  function encoded(entries: readonly (typeof entry extends fc.Arbitrary<infer T> ? T : never)[]) {
    const encoder = new HintEncoder(3, STORE);
    let position = 64;
    const expected = entries.map(({ key, deleted, seq, expires, ...one }) => {
      const valueLength = deleted ? 0 : one.valueLength;
      // A key within other bytes, and one that is all of them.
      const source = seq % 2 === 0 ? key : concat([text('..'), key, text('.')]);
      const start = seq % 2 === 0 ? 0 : 2;
      const end = start + key.length;
      encoder.add(position, valueLength, seq, expires, deleted, source, start, end);
      const length = HEAD_BYTES + key.length + valueLength;
      const told = {
        position,
        length,
        seq,
        expires,
        deleted,
        key: Buffer.from(key).toString('hex'),
      };
      position += length;
      return told;
    });
    const bytes = concat(encoder.finish(position));
    const crc = decodeHintHeader(bytes)!.crc;
    return { bytes, expected, where: { file: 3, crc, dataBytes: position } };
  }

  function decoded(bytes: Uint8Array, where: ExpectedHint) {
    const entries: unknown[] = [];
    const problem = checkHint(bytes, where);
    if (problem !== undefined) return { problem, entries };
    visitHint(bytes, (place) => {
      const { position, length, seq, expires, deleted, keyStart, keyEnd } = place;
      const key = Buffer.from(bytes.slice(keyStart, keyEnd)).toString('hex');
      entries.push({ position, length, seq, expires, deleted, key });
    });
    return { problem, entries };
  }

  it('read back what was written', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const { bytes, expected, where } = encoded(entries);
        expect(decoded(bytes, where)).toEqual({ problem: undefined, entries: expected });
      }),
    );
  });

  it('have blocks of 64 KiB at most, but for an entry that is longer alone', () => {
    const small = fc.sample(entry, { numRuns: 3000, seed: 1 });
    const long = { ...small[0]!, key: new Uint8Array(BLOCK_BYTES_MAX + 5).fill(7) };
    const { bytes, expected, where } = encoded([...small, long, ...small.slice(0, 10)]);
    expect(decoded(bytes, where)).toEqual({ problem: undefined, entries: expected });
    const sizes: number[] = [];
    const view = new DataView(bytes.buffer);
    for (let at = 64; at < bytes.length; at += sizes.at(-1)!)
      sizes.push(view.getUint32(at + 4, true));
    expect(sizes.length).toBeGreaterThan(3);
    const longer = sizes.filter((size) => size > BLOCK_BYTES_MAX);
    expect(longer).toEqual([16 + 28 + BLOCK_BYTES_MAX + 5]);
    expect(decodeHintHeader(bytes)!.blocks).toBe(sizes.length);
  });

  it('say in words what is wrong', () => {
    const { bytes, where } = encoded(fc.sample(entry, { numRuns: 5000, seed: 2 }));
    const second = 64 + new DataView(bytes.buffer).getUint32(68, true);
    const hit = decoded(flipped(bytes, (second + 100) * 8), where);
    expect(hit.problem).toMatch(new RegExp(`^at ${second}: block 1: stored checksum`));
    for (const [wrong, words] of [
      [{ ...where, file: 4 }, /of data file 3, expected 4/],
      [{ ...where, dataBytes: 1 }, /expected 1$/],
      [{ ...where, crc: where.crc ^ 1 }, /in the manifest/],
    ] as const) {
      expect(decoded(bytes, wrong)).toEqual({ problem: expect.stringMatching(words), entries: [] });
    }
    const swapped = concat([
      bytes.slice(0, 64),
      bytes.slice(second, second + 100),
      bytes.slice(164),
    ]);
    expect(decoded(swapped, where).problem).toMatch(/^at 64: /);
  });

  it('see any flipped bit and any other length', () => {
    const { bytes, where } = encoded(fc.sample(entry, { numRuns: 6, seed: 4 }));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      expect(decoded(flipped(bytes, bit), where).problem, `bit ${bit}`).toBeTypeOf('string');
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(decoded(bytes.subarray(0, length), where).problem, `${length}`).toBeTypeOf('string');
    }
    expect(decoded(concat([bytes, new Uint8Array(1)]), where).problem).toBeTypeOf('string');
  });
});

describe('the writer', () => {
  it('refuses what the layout cannot hold, with the reason', () => {
    const writer = v2Encoder.open(STORE);
    writer.data(1, false);
    const refused = (more: object, offset = 64) => {
      expect(() => writer.record({ ...put(1, 'k', 'v'), ...more }, offset)).toThrow(
        expect.objectContaining({ code: 'not-storable' }),
      );
    };
    refused({ seq: 2 ** 53 });
    refused({ seq: -1 });
    refused({ seq: 1.5 });
    refused({ expires: 2 ** 48 });
    refused({ expires: 0.5 });
    refused({}, FILE_BYTES_MAX - HEAD_BYTES - 1);
    expect(writer.record(put(1, 'k', 'v'), FILE_BYTES_MAX - HEAD_BYTES - 2).length).toBe(46);
  });

  it('makes no batches of copies', () => {
    const writer = v2Encoder.open(STORE);
    writer.data(1, true);
    const bytes = writer.record(put(1, 'k', 'v', { continued: true, unsynced: 7 }), 64);
    expect([...bytes.subarray(39, 44)]).toEqual([0, 0, 0, 0, 0]);
  });

  it('makes a hint file alone, for a store that has lost it', () => {
    const writer = v2Encoder.open(STORE);
    writer.hint(5, 200, 1);
    const key = text('k');
    const entry = Object.assign(new HintEntry(), { position: 64, size: 46, bytes: key, keyEnd: 1 });
    writer.entry(entry);
    const bytes = writer.hintEnd();
    expect(decodeHintHeader(bytes)).toMatchObject({ file: 5, dataBytes: 200, entries: 1 });
  });
});
