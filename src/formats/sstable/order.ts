/**
 * Keys ascend strictly, in internal order: user keys upwards, and of one user key the entry with
 * the higher sequence number first, then the higher type. Nothing else lets a search in a table
 * find what is in it.
 */
import { toHex } from '../../shared/hex.ts';
import { compareSpans } from '../bytes/spans.ts';
import { compareBytes, type EntryBlock } from './entry-block.ts';
import type { TableDamage } from './model.ts';

export class OrderChecker {
  #key: Uint8Array = new Uint8Array(256);
  #length = -1;
  #seqHigh = 0;
  #seqLow = 0;
  #type = 0;

  constructor(readonly emit: (damage: TableDamage) => void) {}

  /** What came before is not known. */
  reset(): void {
    this.#length = -1;
  }

  block(block: EntryBlock): void {
    const { count, keyBytes, keyView, keyStart, keyEnd, seqHigh, seqLow, types, order } = block;
    if (count === 0 || order === 0) return;
    if (this.#length >= 0 && this.#afterLast(block) <= 0) this.#tell(block, 0);
    for (let i = 1; i < count; i++) {
      let difference = compareSpans(
        keyBytes,
        keyView,
        keyStart[i]!,
        keyEnd[i]!,
        keyBytes,
        keyView,
        keyStart[i - 1]!,
        keyEnd[i - 1]!,
      );
      if (order < 0) difference = -difference;
      if (difference > 0) continue;
      if (difference === 0 && !block.unique) {
        difference =
          seqHigh[i - 1]! - seqHigh[i]! || seqLow[i - 1]! - seqLow[i]! || types[i - 1]! - types[i]!;
        if (difference > 0) continue;
      }
      this.#tell(block, i);
    }
    this.#keep(block);
  }

  #afterLast(block: EntryBlock): number {
    const { keyBytes, keyStart, keyEnd, seqHigh, seqLow, types, order } = block;
    const key = this.#key;
    const difference = compareBytes(keyBytes, keyStart[0]!, keyEnd[0]!, key, 0, this.#length);
    if (difference !== 0 || block.unique) return order < 0 ? -difference : difference;
    return this.#seqHigh - seqHigh[0]! || this.#seqLow - seqLow[0]! || this.#type - types[0]!;
  }

  #keep(block: EntryBlock): void {
    const last = block.count - 1;
    const key = block.key(last);
    if (key.length > this.#key.length) this.#key = new Uint8Array(2 * key.length);
    this.#key.set(key);
    this.#length = key.length;
    this.#seqHigh = block.seqHigh[last]!;
    this.#seqLow = block.seqLow[last]!;
    this.#type = block.types[last]!;
  }

  #tell(block: EntryBlock, index: number): void {
    const before = index > 0 ? block.key(index - 1) : this.#key.subarray(0, this.#length);
    const key = block.key(index);
    const same = compareBytes(before, 0, before.length, key, 0, key.length) === 0;
    this.emit({
      code: 'unsorted-keys',
      severity: 'error',
      file: block.file,
      offset: block.offsets?.[index] ?? block.offset,
      length: block.lengths?.[index] ?? block.length,
      message: same
        ? `entry ${index} of block ${block.number} has the key of the one before it (${shown(key)}), and no lower sequence number`
        : `entry ${index} of block ${block.number}, ${shown(key)}, comes behind ${shown(before)}`,
      repair: 'put the entries in order',
      lost: false,
    });
  }
}

/** The beginning of a key, for messages. */
export function shown(key: Uint8Array): string {
  const part = key.subarray(0, 48);
  const more = part.length < key.length ? '…' : '';
  const plain = part.every((byte) => byte >= 0x20 && byte < 0x7f);
  return plain
    ? `${JSON.stringify(Buffer.from(part).toString('latin1'))}${more}`
    : `hex:${toHex(part.slice())}${more}`;
}
