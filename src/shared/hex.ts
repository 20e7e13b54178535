/** Checksums as they are usually written. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('hex');
}
