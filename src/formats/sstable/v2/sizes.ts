/** What an entry may be: a table refuses what it could not give back. */
import { DdiaError } from '../../../shared/errors.ts';
import { KEY_BYTES_MAX, TIMED, VALUE_BYTES_MAX } from './layout.ts';

/** Sequence numbers are JavaScript's integers. */
const SEQ_HIGH_MAX = 0x1f_ffff;

export function checkSizes(key: number, value: number, seqHigh: number, type: number): void {
  if (key > KEY_BYTES_MAX) {
    throw new DdiaError('too-large', `a key of ${key} bytes, at most ${KEY_BYTES_MAX}`);
  }
  if (value > VALUE_BYTES_MAX) {
    throw new DdiaError('too-large', `a value of ${value} bytes, at most ${VALUE_BYTES_MAX}`);
  }
  if (seqHigh > SEQ_HIGH_MAX) throw new DdiaError('too-large', 'a sequence number of 2^53 or more');
  if (type >= TIMED) throw new DdiaError('bad-type', `type ${type}, at most 127`);
}
