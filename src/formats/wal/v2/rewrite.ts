/**
 * Writes segments anew out of the records that are left of them; all behind a changed one are, too.
 */
import type { WalOperation, WalRecord, WalRewrite } from '../model.ts';
import { V2LogEncoder } from './log-encoder.ts';
import { encodeManifest, MANIFEST_NAME, manifestOf } from './manifest.ts';

const NONE = new Uint8Array(0);

export const v2Rewrite: WalRewrite = {
  chained: true,
  open() {
    const encoder = new V2LogEncoder();
    let batch: WalOperation[] = [];
    let segment = 0;
    let begun = false;
    let next = 1n;
    return {
      segment(number) {
        segment = number;
        begun = true;
      },
      record(record) {
        batch.push(detach(record));
        if (record.index + 1 < record.batchSize) return NONE;
        const operations = batch;
        batch = [];
        const first = record.seqLow - record.index;
        const low = first >>> 0;
        const high = first < 0 ? record.seqHigh - 1 : record.seqHigh;
        const seq = (BigInt(high) << 32n) | BigInt(low);
        next = seq + BigInt(operations.length);
        const begun = segment > 0 ? encoder.begin(segment, seq).slice() : NONE;
        segment = 0;
        const bytes = encoder.record(high, low, operations);
        return begun.length === 0 ? bytes : Buffer.concat([begun, bytes]);
      },
      end(last) {
        const begun = segment > 0 ? encoder.begin(segment, next).slice() : NONE;
        segment = 0;
        batch = [];
        return Buffer.concat([begun, encoder.end(last, next)]);
      },
      companions(set) {
        const manifest = manifestOf(set);
        if (!manifest) return [];
        // What was written anew has an identity of its own. How far the log reaches is another
        // matter now: whoever opens it says so again.
        const logId = begun ? encoder.logId : manifest.logId;
        const bytes = encodeManifest({ ...manifest, logId, reached: undefined });
        return [{ name: MANIFEST_NAME, bytes }];
      },
    };
  },
};

function detach(record: WalRecord): WalOperation {
  const { op, bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
  return { op, key: bytes.slice(keyStart, keyEnd), value: bytes.slice(valueStart, valueEnd) };
}
