/**
 * Data blocks without an index, found from the front by their checksums. What follows the data
 * (filter, index, properties) is found the same way and told apart by what is in it: keys of data
 * ascend; an index holds handles of blocks that were passed.
 */
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import { EntryBlock } from '../entry-block.ts';
import { CHECKSUM, TRAILER_BYTES } from './constants.ts';
import { BlockFinder, FOUND_BYTES_MAX } from './find-blocks.ts';
import type { TableScan } from './scan.ts';
import { readVarint, varint } from './varint.ts';

/** What a search may cost, in bytes hashed: so many times the file, and a little for small ones. */
const BUDGET_TIMES = 64;
const BUDGET_BYTES_MIN = 64 * 1024 * 1024;
/** How much of the file's front is in memory at once. */
const PIECE_BYTES = 2 * FOUND_BYTES_MAX;
const CHECKSUMS = [CHECKSUM.crc32c, CHECKSUM.xxh3, CHECKSUM.xxhash64, CHECKSUM.xxhash];

interface Piece {
  bytes: Uint8Array;
  view: DataView;
  base: number;
}

/** Returns where the data ends. */
export async function salvageBlocks(scan: TableScan): Promise<number> {
  const { table } = scan;
  const size = table.blocksEnd;
  const budget = Math.max(BUDGET_BYTES_MIN, BUDGET_TIMES * size);
  let piece: Piece = { bytes: new Uint8Array(0), view: viewOf(new Uint8Array(0)), base: 0 };
  if (!table.footer) await chooseChecksum(scan, budget);
  const finder = new BlockFinder(table.check, budget);
  const judge = new Judge(scan);
  let at = 0;
  let lostFrom = -1;
  let number = 0;
  while (at + TRAILER_BYTES < size && !scan.stopped && finder.hashed < budget) {
    piece = await pieceAt(scan, piece, at, size);
    const p = at - piece.base;
    const end = finder.endOf(
      piece.bytes,
      piece.view,
      p,
      Math.min(piece.bytes.length, size - piece.base),
      at,
    );
    if (end < 0) {
      if (lostFrom < 0) lostFrom = at;
      at++;
      continue;
    }
    if (!judge.isData(piece.bytes, piece.view, p, end)) {
      if (lostFrom >= 0) tellLost(scan, lostFrom, at);
      return at;
    }
    if (lostFrom >= 0) tellLost(scan, lostFrom, at);
    lostFrom = -1;
    await scan.data(at, end - p, number, -1);
    judge.passed(at, end - p, scan.block);
    number++;
    at += end - p + TRAILER_BYTES;
  }
  if (lostFrom < 0) return at;
  // Nothing was found behind: whether it was data or what follows it, nobody can tell.
  return lostFrom;
}

function tellLost(scan: TableScan, from: number, to: number): void {
  scan.tell({
    code: 'block-checksum',
    severity: 'error',
    file: scan.table.source.name,
    offset: from,
    length: to - from,
    message: `${to - from} bytes in which no block has a checksum that holds, and no index to divide them`,
    evidence: `the next block whose checksum holds is at ${to}`,
    repair: 'drop these bytes, keep them in quarantine',
    lost: true,
    entriesAtMost: Number.POSITIVE_INFINITY,
  });
}

async function pieceAt(scan: TableScan, piece: Piece, at: number, size: number): Promise<Piece> {
  const { source } = scan.table;
  const needed = Math.min(size, at + FOUND_BYTES_MAX + TRAILER_BYTES);
  if (at >= piece.base && needed <= piece.base + piece.bytes.length) return piece;
  scan.context.signal?.throwIfAborted();
  scan.context.progress?.(source.name, at, source.size);
  const bytes = await bytesAt(source, at, Math.min(PIECE_BYTES, size - at));
  return { bytes, view: viewOf(bytes), base: at };
}

/** Without a footer: the kind of checksum that some block near the front has. */
async function chooseChecksum(scan: TableScan, budget: number): Promise<void> {
  const { table } = scan;
  if (!table.rocksdb) return;
  const piece = await pieceAt(
    scan,
    { bytes: new Uint8Array(0), view: viewOf(new Uint8Array(0)), base: 0 },
    0,
    table.blocksEnd,
  );
  for (const checksum of CHECKSUMS) {
    const check = { checksum, base: 0 };
    const finder = new BlockFinder(check, budget);
    if (finder.endOf(piece.bytes, piece.view, 0, piece.bytes.length, 0) < 0) continue;
    table.check = check;
    return;
  }
}

/** Tells data from what follows it. */
class Judge {
  readonly #known = new Map<number, number>();
  readonly #scratch = new EntryBlock();
  #lastKey: Uint8Array | undefined;

  constructor(readonly scan: TableScan) {}

  isData(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const { unpacker, decoder, order } = this.scan.table;
    const block = this.#scratch;
    if (!unpacker.unpack(bytes, view, start, end, bytes[end]!)) return this.#known.size === 0;
    const { bytes: raw, view: rawView, start: from, end: to } = unpacker;
    if (!decoder.decode(raw, rawView, from, to, block) || block.count === 0) return false;
    if (this.#pointsBack(block)) return false;
    if (!this.#lastKey || order === 0) return true;
    return block.compareKey(0, this.#lastKey) * order >= 0;
  }

  /** Whether its first value is the handle of a block that was passed. */
  #pointsBack(block: EntryBlock): boolean {
    const value = block.value(0);
    if (!value) return false;
    let p = readVarint(value, 0, value.length);
    const offset = varint.value;
    if (p > 0) p = readVarint(value, p, value.length);
    return p > 0 && this.#known.get(offset) === varint.value;
  }

  passed(offset: number, size: number, block: EntryBlock): void {
    this.#known.set(offset, size);
    if (block.count > 0) this.#lastKey = block.key(block.count - 1).slice();
  }
}
