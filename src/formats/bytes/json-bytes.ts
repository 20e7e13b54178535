/** Bytes as they come in JSON: a string (UTF-8), `{"hex": …}` or `{"base64": …}`. */
import { isBase64, isHex } from '../../shared/packed-text.ts';

/** Undefined for anything else: the caller knows what to call it. */
export function bytesFromJson(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value !== 'object' || value === null) return undefined;
  const { hex, base64 } = value as { hex?: unknown; base64?: unknown };
  if (typeof hex === 'string' && isHex(hex)) return Buffer.from(hex, 'hex');
  if (typeof base64 === 'string' && isBase64(base64)) return Buffer.from(base64, 'base64');
  return undefined;
}
