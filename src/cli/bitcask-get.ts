/** bitcask get: the value of one key, in a store of any dialect. */
import { BitcaskReader } from '../engines/bitcask/reader.ts';
import { getValue } from '../formats/bitcask/get.ts';
import type { BitcaskOpened } from '../formats/bitcask/model.ts';
import type { Limits } from '../formats/format.ts';
import { RealDisk } from '../io/real-disk.ts';
import type { DdiaCommand } from './base-command.ts';
import { openPath } from './open.ts';

/**
 * Null: it is not there. A store of ours is read as its own software reads it, by its hints; any
 * other by its data files, past damage, which is told on stderr.
 */
export async function getKey(
  command: DdiaCommand,
  path: string,
  key: Uint8Array,
  dialect: string | undefined,
  limits: Limits,
): Promise<Uint8Array | null> {
  const input = await openPath(command, path, 'bitcask', dialect);
  if (input.dialect.id === 'v2' && input.set.isDirectory) {
    const reader = await BitcaskReader.open(new RealDisk(), path);
    try {
      return reader.get(key);
    } finally {
      reader.close();
    }
  }
  const context = { ...command.reading(limits), now: Date.now(), set: input.set };
  return getValue(
    input as unknown as BitcaskOpened,
    key,
    context,
    ({ code, file, offset, message }) => {
      process.stderr.write(`${code} ${file} @ ${offset}: ${message}\n`);
    },
  );
}
