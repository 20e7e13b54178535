/** Writes a whole hardened log in order, for `write`, `upgrade` and repair. */
import { crypto } from '../../../shared/node-modules.ts';
import type { LogEncoder, WalEncoder, WalOperation } from '../model.ts';
import { SegmentEncoder } from './encode.ts';
import { CLOSED, SEGMENT_BYTES_DEFAULT, segmentName } from './layout.ts';

/** A log's identity: random, so that no block of another log checks in this one. */
export function newLogId(): bigint {
  return crypto().randomBytes(8).readBigUInt64LE();
}

export class V2LogEncoder implements LogEncoder {
  #segment: SegmentEncoder | undefined;
  #lastSeq = 0n;

  constructor(readonly logId = newLogId()) {}

  begin(segment: number, seq: bigint): Uint8Array {
    this.#segment = new SegmentEncoder({
      logId: this.logId,
      segment,
      previousChain: this.#segment?.chain ?? 0,
      baseSeq: seq,
      previousSeq: this.#lastSeq,
    });
    return this.#segment.take();
  }

  /** The files appear whole, so all that stands before a record is durable when the record is. */
  record(seqHigh: number, seqLow: number, operations: readonly WalOperation[]): Uint8Array {
    const segment = this.#segment!;
    segment.record(seqHigh, seqLow, 1, operations);
    const first = (BigInt(seqHigh) << 32n) | BigInt(seqLow);
    this.#lastSeq = first + BigInt(operations.length) - 1n;
    return segment.take();
  }

  end(last: boolean, nextSeq: bigint): Uint8Array {
    const segment = this.#segment!;
    if (last) segment.mark(CLOSED, nextSeq);
    return segment.take();
  }
}

export const v2Encoder: WalEncoder = {
  ops: ['put', 'delete', 'commit', 'checkpoint'],
  segmentBytesDefault: SEGMENT_BYTES_DEFAULT,
  segmentName,
  open: () => new V2LogEncoder(),
};
