/** Bytes as they come in JSON: a string (UTF-8), `{"hex": …}` or `{"base64": …}`. */
const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Undefined for anything else: the caller knows what to call it. */
export function bytesFromJson(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value !== 'object' || value === null) return undefined;
  const { hex, base64 } = value as { hex?: unknown; base64?: unknown };
  if (typeof hex === 'string' && HEX.test(hex)) return Buffer.from(hex, 'hex');
  if (typeof base64 === 'string' && BASE64.test(base64)) return Buffer.from(base64, 'base64');
  return undefined;
}
