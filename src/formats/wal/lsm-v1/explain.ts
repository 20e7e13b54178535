/**
 * Is one flipped bit the reason why a chain breaks? With the bit turned back, a length leads to
 * where a chain goes on. There are at most 64 such bits in a record, so a fit is hardly ever
 * chance; and it gives the record back, where a search from byte to byte could only find the next
 * one.
 */
import { type Chain, leadsTo } from './chain.ts';
import { KEY_AT, LENGTH_BYTES, OVERHEAD_BYTES } from './layout.ts';

/** A record whose length is hit, and what the length should be. */
export interface Explained {
  start: number;
  /** Where the record ends by the mended length. */
  next: number;
  field: 'key_length' | 'value_length';
  /** File offset of the field. */
  fieldAt: number;
  found: number;
  right: number;
  keyLength: number;
  /** No other bit would do, unless it led further along the same chain. */
  only: boolean;
}

/**
 * The record at `start`, up to `reach` bytes long, with one bit of a length turned back so that
 * `bornOut` takes its end for the beginning of the next record. Of several the shortest: it loses
 * least.
 */
export function explainByOneBit(
  chain: Chain,
  start: number,
  reach: number,
  bornOut: (next: number) => boolean,
): Explained | undefined {
  const { view, base } = chain;
  if (start + OVERHEAD_BYTES > chain.end) return undefined;
  const found = view.getUint32(start - base);
  const fits: Explained[] = [];

  const attempt = (
    field: Explained['field'],
    keyLength: number,
    valueLength: number,
    was: number,
  ) => {
    const next = start + OVERHEAD_BYTES + keyLength + valueLength;
    if (next - start > reach || next > chain.fileEnd || !bornOut(next)) return;
    const isKey = field === 'key_length';
    const fieldAt = isKey ? start : start + KEY_AT + keyLength;
    const right = isKey ? keyLength : valueLength;
    fits.push({ start, next, field, fieldAt, found: was, right, keyLength, only: true });
  };

  const valueLengthAt = (keyLength: number): number => {
    const at = start + KEY_AT + keyLength;
    return at + LENGTH_BYTES > chain.end ? -1 : view.getUint32(at - base);
  };
  const isKeyLength = (length: number) => length > 0 && length <= chain.keyBytesMax;

  if (isKeyLength(found)) {
    const was = valueLengthAt(found);
    for (let bit = 0; was >= 0 && bit < 32; bit++) {
      attempt('value_length', found, (was ^ (1 << bit)) >>> 0, was);
    }
  }
  for (let bit = 0; bit < 32; bit++) {
    const keyLength = (found ^ (1 << bit)) >>> 0;
    if (!isKeyLength(keyLength)) continue;
    const valueLength = valueLengthAt(keyLength);
    if (valueLength >= 0) attempt('key_length', keyLength, valueLength, found);
  }
  fits.sort((a, b) => a.next - b.next);
  const [best, ...others] = fits;
  // One that leads further along the same chain explains the same, and loses more.
  const isOther = ({ next }: Explained) => next === best!.next || !leadsTo(chain, best!.next, next);
  return best && { ...best, only: !others.some(isOther) };
}
