/** The value of one key. */
import type { Finding } from '../format.ts';
import { readLive, refuseStreams } from './content.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';
import { ValueReader } from './values.ts';

/** Null: the key is not there, or no more. Reads all data files, past damage. */
export async function getValue(
  input: BitcaskOpened,
  key: Uint8Array,
  context: BitcaskScanContext,
  onDamage: (finding: Finding) => void,
): Promise<Uint8Array | null> {
  refuseStreams(input);
  const index = await readLive(input, context, onDamage);
  const entry = index.keys.find(key, 0, key.length);
  if (entry < 0 || !index.isLive(entry, context.now)) return null;
  const values = new ValueReader(input, context, index);
  try {
    await values.read(entry);
    return values.bytes.slice(0, values.length);
  } finally {
    values.close();
  }
}
