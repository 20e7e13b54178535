/** bitcask put and delete: one record into a store of any dialect that can be written. */
import { RECORD_BYTES_MAX } from '../engines/bitcask/operation.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { storeDialect, withStore, withTextbook } from './bitcask-engine.ts';

export interface PutFlags {
  dialect?: string | undefined;
  ttl?: number | undefined;
  fileBytes?: number | undefined;
}

export interface PutResult {
  dir: string;
  dialect: string;
  /** The write's number in our own layout; 0: there was nothing to delete. */
  seq?: number;
  /** Where the record stands in a textbook layout. */
  file?: string;
  offset?: number;
  length?: number;
}

export function putKey(
  command: DdiaCommand,
  dir: string,
  key: Uint8Array,
  value: Uint8Array,
  flags: PutFlags,
): Promise<PutResult> {
  return write(command, dir, key, value, flags);
}

/** In our own layout, a key that is not there is not deleted: seq is 0. The store must exist. */
export async function deleteKey(
  command: DdiaCommand,
  dir: string,
  key: Uint8Array,
): Promise<PutResult> {
  if (!new RealDisk().stat(dir)) throw new DdiaError('not-found', `no store at ${dir}`);
  return write(command, dir, key, undefined, {});
}

async function write(
  command: DdiaCommand,
  dir: string,
  key: Uint8Array,
  value: Uint8Array | undefined,
  flags: PutFlags,
): Promise<PutResult> {
  const dialect = await storeDialect(command, dir, flags.dialect);
  const { ttl, fileBytes } = flags;
  if (dialect.id === 'v2') {
    const options = { create: value !== undefined, ...(fileBytes !== undefined && { fileBytes }) };
    const seq = await withStore(command, dir, options, (store) =>
      value === undefined ? store.delete(key) : store.put(key, value, { ttl }),
    );
    return { dir, dialect: 'v2', seq };
  }
  return withTextbook(dir, dialect, fileBytes, (store) => {
    const place = store.write(key, value, { ttl });
    return { dir, dialect: dialect.id, ...place };
  });
}

/** Standard input as a whole, for a value; no more than a record can be. */
export async function valueFromInput(most = RECORD_BYTES_MAX): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > most) {
      throw new DdiaError('value-too-large', `a value of over ${most} bytes on standard input`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
