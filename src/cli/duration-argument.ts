import { usageError } from '../shared/errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `1.5h`, `250ms`, `7d`; a bare number is seconds. Returns milliseconds. */
export function parseDuration(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const duration = match ? Number(match[1]) * UNITS[match[2] ?? 's']! : 0;
  if (duration > 0 && Number.isFinite(duration)) return duration;
  throw usageError('bad-duration', `${flag}: not a duration above 0: ${text}`, 'as in 90s, 2h, 7d');
}
