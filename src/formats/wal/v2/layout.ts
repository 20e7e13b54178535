/**
 * Wire constants of the hardened log, shared by reader and writer. Little-endian. A segment
 * `000001.wal2` is a sequence of blocks of 32 KiB; the last may be short, or followed by zeros that
 * were allocated ahead.
 *
 *     block 0   ┌────────────────┬──────────────┬──────────┬──────────┬─ ─ ─┬─────────┐
 *               │ segment header │ block header │ fragment │ fragment │     │ padding │
 *               └──── 64 ────────┴───── 32 ─────┴──────────┴──────────┴─ ─ ─┴── < 8 ──┘
 *     block n                    ┌──────────────┬──────────┬─ ─
 *                                │ block header │ fragment │
 *                                └───── 32 ─────┴──────────┴─ ─
 *
 * Every checksum is CRC-32C. That of a fragment continues the one before it, and the first of a
 * block continues the block header's, which holds log, segment and block number and the chain's
 * value at the end of the block before. So a fragment checks only in its place, behind the very
 * bytes that it was written behind.
 */

/** "DDIAWAL" and the layout's version. */
export const MAGIC = new Uint8Array([0x44, 0x44, 0x49, 0x41, 0x57, 0x41, 0x4c, 0x02]);
export const VERSION = 2;
export const BLOCK_BYTES = 32 * 1024;

/**
 *      0       magic             8 bytes
 *      8  u16  version           2
 *     10  u16  header_bytes      64
 *     12  u32  compatible        flags that a reader may ignore
 *     16  u32  incompatible      flags that a reader must know
 *     20  u32  block_bytes       32768
 *     24  u64  log_id            random, the same in all segments of a log
 *     32  u32  segment           number, as in the file's name
 *     36  u32  previous_chain    chain at the end of the segment before; 0 in the first
 *     40  u64  base_seq          the first sequence number that may stand in this segment
 *     48  u64  previous_seq      the last one of the segment before; 0 if there was none
 *     56  u32  reserved          0
 *     60  u32  crc               over bytes 0 to 60
 */
export const SEGMENT_HEADER_BYTES = 64;
export const HEADER_CRC_AT = 60;

/**
 *      0  u32  crc               over bytes 4 to 32
 *      4  u32  block             number, from 0
 *      8  u64  log_id
 *     16  u32  segment
 *     20  u32  previous_chain    crc of the last fragment before; in block 0 the header's
 *     24  u16  first             where in the block the first record begins; 0: none does
 *     26  u16  reserved          0
 *     28  u32  magic             "BLK2"
 */
export const BLOCK_HEADER_BYTES = 32;
export const BLOCK_MAGIC = 0x324b4c42;

/**
 *      0  u32  crc               over bytes 4 to 7 + length, continuing the crc before
 *      4  u16  length            of the payload, at least 1
 *      6  u8   type              1 full, 2 first, 3 middle, 4 last, 5 mark
 *      7       payload
 *
 * Where fewer than 8 bytes are left in a block, they are zero. A header of zeros ends a block's
 * fragments: all that follows in the block is zero, and so is the rest of the file.
 */
export const FRAGMENT_HEADER_BYTES = 7;
export const FRAGMENT_BYTES_MIN = 8;
export const FULL = 1;
export const FIRST = 2;
export const MIDDLE = 3;
export const LAST = 4;
export const MARK = 5;
export const TYPES = ['zero', 'full', 'first', 'middle', 'last', 'mark'] as const;

/**
 * Payload of a record, fragments joined: a batch, whole or absent.
 *
 *      0  u64     seq            of the first operation; the others follow it
 *      8  varint  synced         seq less the last one known to be durable when written
 *         varint  count          of operations, at least 1
 *         operation*             u8 op, varint key length, key; put: varint value length, value
 */
export const OPS = ['', 'put', 'delete', 'commit', 'checkpoint'] as const;
export const OP_PUT = 1;
export const OP_DELETE = 2;

/**
 * Payload of a mark: u8 kind (1 opened, 2 closed, 3 recovered), u64 next_seq: what the next record
 * is numbered, u32 crc, its own (mark.ts). Older marks end before that. A log whose last fragment
 * is `closed` or `recovered` lost nothing since.
 */
export const MARK_BYTES = 13;
export const MARK_CRC_AT = 9;
export const MARKS = ['', 'opened', 'closed', 'recovered'] as const;
export const OPENED = 1;
export const CLOSED = 2;
export const RECOVERED = 3;

/**
 * A segment holds sequence numbers below base_seq + this. After a crash numbering goes on from
 * there, so that no number is given twice, not even one that was handed out and lost before it was
 * synced.
 */
export const SEQS_PER_SEGMENT = 1 << 20;
export const SEGMENT_BYTES_DEFAULT = 16 * 1024 * 1024;

/**
 * A manifest names a segment up to this one before it is made: of an empty log, and of one that
 * goes on behind what others hold. Behind a truncation the first segment has been there.
 */
export const UNMADE_SEGMENT_MAX = 2;

/** `000001.wal2`: six digits when written, any width when read. */
export const SEGMENT_NAME = /^(\d{1,9})\.wal2$/;

export function segmentName(number: number): string {
  return `${String(number).padStart(6, '0')}.wal2`;
}

/** Where the first fragment of a block can stand. */
export function blockStart(block: number): number {
  return block === 0 ? SEGMENT_HEADER_BYTES + BLOCK_HEADER_BYTES : BLOCK_HEADER_BYTES;
}
