/**
 * What is written to an LSM store of ours as it stands in its log, which knows puts and deletes
 * alone: a key that begins with a zero byte has another byte behind it that says what it is.
 */
import { TYPE } from '../sstable/entry-block.ts';
import type { WalRecord } from '../wal/model.ts';

const ESCAPE = 0;
const IS_KEY = 0;
const IS_RANGE = 1;

/** The key as the log has it. */
export function loggedKey(key: Uint8Array): Uint8Array {
  return key.length > 0 && key[0] === ESCAPE ? escaped(IS_KEY, key) : key;
}

/** The key of a put that stands for a range deletion; its value is the end of the range. */
export function loggedRange(begin: Uint8Array): Uint8Array {
  return escaped(IS_RANGE, begin);
}

function escaped(what: number, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(key.length + 2);
  bytes[0] = ESCAPE;
  bytes[1] = what;
  bytes.set(key, 2);
  return bytes;
}

/** Hands the parts of a logged operation to a memtable. */
export function fromLog(
  record: WalRecord,
  add: (
    type: number,
    seq: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ) => void,
): void {
  const { bytes, keyEnd, seq } = record;
  let { keyStart } = record;
  let type: number = record.op === 'delete' ? TYPE.delete : TYPE.put;
  if (keyEnd - keyStart >= 2 && bytes[keyStart] === ESCAPE) {
    if (bytes[keyStart + 1] === IS_RANGE) type = TYPE.rangeDelete;
    keyStart += 2;
  }
  const valueStart = Math.max(0, record.valueStart);
  add(type, seq, bytes, keyStart, keyEnd, bytes, valueStart, Math.max(valueStart, record.valueEnd));
}
