/**
 * Values of logical types as they read best. What is outside of the range in which they mean
 * something stays the bare value.
 */
import { toHex } from '../../../shared/hex.ts';
import type { Logical } from '../schema/model.ts';
import { hexObject, jsonNumber } from './plain.ts';

type Native = number | bigint | string | Uint8Array;
type Shown = string | number | { hex: string } | Record<string, number>;

/** JavaScript's dates end here, in milliseconds. */
const DATE_MAX = 8.64e15;
const DAY = 86_400_000;
const UUID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** What shows values of a logical type, from what is read of the type that it stands on. */
export function logicalText(logical: Logical): (value: Native) => Shown {
  const { name } = logical;
  const bare = (value: Native): Shown =>
    value instanceof Uint8Array
      ? hexObject(value)
      : typeof value === 'string'
        ? value
        : jsonNumber(value);
  switch (name) {
    case 'decimal':
      return (value) => decimal(value as Uint8Array, logical.scale ?? 0);
    case 'uuid':
      return (value) =>
        value instanceof Uint8Array ? toHex(value).replace(UUID, '$1-$2-$3-$4-$5') : bare(value);
    case 'date':
      return (value) => dateText(BigInt(value as number) * BigInt(DAY), 1000n, 10) ?? bare(value);
    case 'time-millis':
      return (value) => timeText(BigInt(value as number), 1000n, 3) ?? bare(value);
    case 'time-micros':
      return (value) => timeText(BigInt(value as number), 1_000_000n, 6) ?? bare(value);
    case 'duration':
      return (value) => duration(value as Uint8Array);
    case 'big-decimal':
      return bare;
    default: {
      const unit = name.endsWith('millis')
        ? 1000n
        : name.endsWith('micros')
          ? 1_000_000n
          : 10n ** 9n;
      const zone = name.startsWith('local') ? '' : 'Z';
      return (value) => {
        const text = dateText(BigInt(value as number), unit);
        return text === undefined ? bare(value) : text + zone;
      };
    }
  }
}

/** The integer that the bytes are, two's complement and the most significant first, scaled. */
function decimal(bytes: Uint8Array, scale: number): string {
  const hex = toHex(bytes);
  const value = hex === '' ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const sign = value < 0n ? '-' : '';
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Date and time in the ISO's form; the fraction has as many digits as the unit. */
function dateText(value: bigint, unit: bigint, cut?: number): string | undefined {
  let seconds = value / unit;
  let fraction = value % unit;
  if (fraction < 0n) {
    seconds--;
    fraction += unit;
  }
  const milliseconds = Number(seconds) * 1000;
  if (!(Math.abs(milliseconds) <= DATE_MAX)) return undefined;
  const text = new Date(milliseconds).toISOString();
  const whole = text.slice(0, -'.000Z'.length);
  if (cut !== undefined) return whole.slice(0, -'T00:00:00'.length);
  return `${whole}.${fraction.toString().padStart(unit.toString().length - 1, '0')}`;
}

function timeText(value: bigint, unit: bigint, digits: number): string | undefined {
  if (value < 0n || value >= 86_400n * unit) return undefined;
  const seconds = Number(value / unit);
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const clock = `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${clock}.${(value % unit).toString().padStart(digits, '0')}`;
}

/** Three unsigned integers of 32 bits, the least significant byte first. */
function duration(bytes: Uint8Array): Record<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    months: view.getUint32(0, true),
    days: view.getUint32(4, true),
    millis: view.getUint32(8, true),
  };
}
