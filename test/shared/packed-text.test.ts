import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesFromJson } from '../../src/formats/bytes/json-bytes.ts';
import { isBase64, isHex } from '../../src/shared/packed-text.ts';

describe('bytes as text', () => {
  it('are told from other text', () => {
    for (const text of ['', '00', 'aF09']) expect(isHex(text)).toBe(true);
    for (const text of ['0', '0g', ' 00', '00\n']) expect(isHex(text)).toBe(false);
    for (const text of ['', 'AA==', 'AAA=', 'A+/9']) expect(isBase64(text)).toBe(true);
    for (const text of ['A', 'AA', 'A===', '=', 'AA=A', 'A-_9', 'AAA=\n']) {
      expect({ text, is: isBase64(text) }).toEqual({ text, is: false });
    }
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(isHex(Buffer.from(bytes).toString('hex'))).toBe(true);
        expect(isBase64(Buffer.from(bytes).toString('base64'))).toBe(true);
      }),
    );
  });

  it('may be of many MiB', () => {
    const bytes = Buffer.alloc(12 * 1024 * 1024, 0xab);
    expect(bytes.equals(bytesFromJson({ hex: bytes.toString('hex') })!)).toBe(true);
    expect(bytes.equals(bytesFromJson({ base64: bytes.toString('base64') })!)).toBe(true);
  });
});
