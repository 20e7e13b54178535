/** An identity for a new store: random, so that the files of two stores are told apart. */
import { randomBytes } from 'node:crypto';

export function newStoreId(): bigint {
  return randomBytes(8).readBigUInt64LE();
}
