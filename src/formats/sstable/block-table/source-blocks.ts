/** Blocks other than those with data: read one at a time, checked, unpacked, and kept. */

import { hex32 } from '../../../shared/hex.ts';
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource } from '../../format.ts';
import { blockChecksum, contextOf } from './checksum.ts';
import { CHECKSUM, CHECKSUM_NAMES, TRAILER_BYTES } from './constants.ts';
import type { Handle } from './footer.ts';
import type { Unpacker } from './unpack.ts';

export interface CheckSpec {
  checksum: number;
  base: number;
}

export interface MetaBlock {
  bytes: Uint8Array;
  view: DataView;
  compression: number;
  /** What is wrong with checksum or compression; the bytes may be of use all the same. */
  fault: { code: string; message: string } | undefined;
  /** False: they could not be unpacked. */
  readable: boolean;
}

/** The stored and the computed checksum, where they differ. */
export function checksumFault(
  { checksum, base }: CheckSpec,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  offset: number,
): string | undefined {
  if (checksum === CHECKSUM.none || CHECKSUM_NAMES[checksum] === undefined) return undefined;
  const plain = blockChecksum(checksum, bytes, view, start, end);
  const stored = view.getUint32(end + 1, true);
  const computed = base === 0 ? plain : (plain + contextOf(base, offset)) >>> 0;
  if (stored === computed) return undefined;
  const name = CHECKSUM_NAMES[checksum];
  return `stored ${name} ${hex32(stored)}, computed ${hex32(computed)} over block and compression type`;
}

/** Reads the block at a handle that is known to lie in the file. */
export async function readMetaBlock(
  source: ByteSource,
  { offset, size }: Handle,
  check: CheckSpec,
  unpacker: Unpacker,
): Promise<MetaBlock> {
  const stored = await bytesAt(source, offset, size + TRAILER_BYTES);
  const view = viewOf(stored);
  if (stored.length < size + TRAILER_BYTES) {
    const fault = { code: 'block-format', message: 'cut while it was read' };
    return { bytes: stored, view, compression: 0, fault, readable: false };
  }
  const mismatch = checksumFault(check, stored, view, 0, size, offset);
  let fault = mismatch === undefined ? undefined : { code: 'block-checksum', message: mismatch };
  const compression = stored[size]!;
  if (!unpacker.unpack(stored, view, 0, size, compression)) {
    fault ??= { code: 'block-format', message: unpacker.fault };
    return { bytes: stored.subarray(0, size), view, compression, fault, readable: false };
  }
  // What was unpacked lies in a buffer that the next block will overwrite.
  const { bytes, start, end } = unpacker;
  const own = compression === 0 ? bytes.subarray(start, end) : bytes.slice(start, end);
  return { bytes: own, view: viewOf(own), compression, fault, readable: true };
}
