/**
 * Is one flipped bit of a size the reason why the next record is not where it should be? With the
 * bit turned back, the record ends where another begins. There are 64 such bits, so a fit is hardly
 * ever chance; and it gives the record back, where a search could only find the next one.
 */
import type { Evidence } from './evidence.ts';
import { HEADER_BYTES, KEY_SIZE_AT, VALUE_SIZE_AT } from './layout.ts';

/** A record of which a size is hit, and what the size should be. */
export interface Explained {
  start: number;
  /** Where the record ends by the mended size. */
  next: number;
  field: 'key_size' | 'value_size';
  /** File offset of the field. */
  fieldAt: number;
  found: number;
  right: number;
  keySize: number;
  valueSize: number;
  /** No other bit would do. */
  only: boolean;
}

/**
 * The record at `start`, up to `reach` bytes long, with one bit of a size turned back so that
 * `bornOut` takes its end for that of a record. Of several the shortest: it loses least.
 */
export function explainByOneBit(
  { chain, familiar }: Evidence,
  start: number,
  reach: number,
  bornOut: (next: number) => boolean,
): Explained | undefined {
  if (!chain.hasHeader(start)) return undefined;
  const keySize = chain.keySize(start);
  const valueSize = chain.valueSize(start);
  const fits: Explained[] = [];

  const attempt = (field: Explained['field'], key: number, value: number): void => {
    const next = start + HEADER_BYTES + key + value;
    if (key > chain.keyBytesMax || next - start > reach || next > chain.fileEnd) return;
    if (!bornOut(next)) return;
    const isKey = field === 'key_size';
    fits.push({
      start,
      next,
      field,
      fieldAt: start + (isKey ? KEY_SIZE_AT : VALUE_SIZE_AT),
      found: isKey ? keySize : valueSize,
      right: isKey ? key : value,
      keySize: key,
      valueSize: value,
      only: false,
    });
  };

  for (let bit = 0; bit < 32; bit++) {
    attempt('value_size', keySize, (valueSize ^ (1 << bit)) >>> 0);
    attempt('key_size', (keySize ^ (1 << bit)) >>> 0, valueSize);
  }
  // The same bit of either size may do the same to their sum: keys as long as others are likelier.
  const known = fits.filter((fit) => !familiar.isNewKeySize(fit.keySize));
  const likely = known.length > 0 ? known : fits;
  const best = likely.reduce<Explained | undefined>(
    (nearest, fit) => (nearest && nearest.next <= fit.next ? nearest : fit),
    undefined,
  );
  const only = fits.length === 1 || (likely.length === 1 && familiar.hasOneKeySize);
  return best && { ...best, only };
}
