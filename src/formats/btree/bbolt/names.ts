/** Names of buckets as paths: `users/by-mail`. */
import { isUtf8 } from 'node:buffer';
import { toHex } from '../../../shared/hex.ts';

export function bucketName(outer: string, key: Uint8Array): string {
  const name = isUtf8(key) ? Buffer.from(key).toString('utf8') : `hex:${toHex(key)}`;
  return outer === '' ? name : `${outer}/${name}`;
}
