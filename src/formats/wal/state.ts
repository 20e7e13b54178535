/**
 * The state that a replay builds: the last value of each key. Memory grows with the live content.
 */
import type { WalRecord } from './model.ts';

/** Key bytes as a string of one character a byte: a Map key that sorts as the bytes do. */
function keyOf(record: WalRecord): string {
  const { bytes, keyStart, keyEnd } = record;
  return Buffer.from(bytes.buffer, bytes.byteOffset + keyStart, keyEnd - keyStart).toString(
    'latin1',
  );
}

export interface StateEntry {
  columnFamily: number;
  key: Uint8Array;
  value: Uint8Array;
  seqHigh: number;
  seqLow: number;
}

export class LogState {
  /** By column family, then by key. */
  readonly #entries = new Map<number, Map<string, Omit<StateEntry, 'key' | 'columnFamily'>>>();
  /** Operations that this cannot fold into a state, by name: merges need an operator. */
  readonly unfolded = new Map<string, number>();

  apply(record: WalRecord): void {
    const { op, columnFamily, bytes, valueStart, valueEnd } = record;
    const keys = this.#keys(columnFamily);
    switch (op) {
      case 'put':
      case 'timed-put':
      case 'put-entity':
        keys.set(keyOf(record), {
          value: bytes.slice(valueStart, valueEnd),
          seqHigh: record.seqHigh,
          seqLow: record.seqLow,
        });
        return;
      case 'delete':
      case 'single-delete':
        keys.delete(keyOf(record));
        return;
      case 'delete-range': {
        const from = keyOf(record);
        const to = Buffer.from(bytes.subarray(valueStart, valueEnd)).toString('latin1');
        for (const key of keys.keys()) if (key >= from && key < to) keys.delete(key);
        return;
      }
      default:
        this.unfolded.set(op, (this.unfolded.get(op) ?? 0) + 1);
    }
  }

  /** Live entries, by column family and key bytes. */
  *entries(): Generator<StateEntry> {
    const families = [...this.#entries].sort(([a], [b]) => a - b);
    for (const [columnFamily, keys] of families) {
      for (const key of [...keys.keys()].sort()) {
        yield { columnFamily, key: Buffer.from(key, 'latin1'), ...keys.get(key)! };
      }
    }
  }

  #keys(columnFamily: number): Map<string, Omit<StateEntry, 'key' | 'columnFamily'>> {
    let keys = this.#entries.get(columnFamily);
    if (!keys) {
      keys = new Map();
      this.#entries.set(columnFamily, keys);
    }
    return keys;
  }
}
