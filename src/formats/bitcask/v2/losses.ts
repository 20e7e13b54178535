/**
 * What a scan cannot use. Whether it is a hole or the torn end of a file is known only when it is
 * seen what stands behind it; until then it is held back.
 */
import type { Mend } from '../../damage.ts';
import type { BitcaskDamage, BitcaskVisitor } from '../model.ts';
import { HEAD_BYTES } from './layout.ts';

export interface Loss {
  code: string;
  offset: number;
  end: number;
  message: string;
  /** Records in it, where that is known. */
  records?: number | undefined;
  diagnosis?: string | undefined;
  mend?: Mend | undefined;
  subject?: string | undefined;
  /** Of the one record that it is. */
  key?: Uint8Array | undefined;
  deleted?: boolean | undefined;
}

/**
 * What a search that began with `loss` and ended at `end` has lost. `zeros`: it passed only them.
 */
export function lossesUpTo(end: number, loss: Loss, zeros: boolean): Loss[] {
  const { offset, message } = loss;
  const length = end - offset;
  if (loss.end <= offset) {
    const what = `${length} zero bytes where records belong`;
    if (zeros) return [{ code: 'zero-hole', offset, end, message: what }];
    return [{ ...loss, end, message: `${message}; no record checks in ${length} bytes` }];
  }
  if (loss.end > end) {
    // What follows stands inside of what the record claims: bytes of it are missing.
    const left = `${message}; ${length} bytes are left of it`;
    return [{ ...loss, end, message: left, mend: undefined, diagnosis: undefined }];
  }
  const behind = `${end - loss.end} bytes behind it in which no record checks`;
  return [loss, { code: 'crc-mismatch', offset: loss.end, end, message: behind }];
}

/** Losses that are held back one by one: more are told as one. */
const HELD_MAX = 1000;
const DROP = 'drop these bytes, keep them in quarantine';

export class Losses {
  #held: Loss[] = [];

  constructor(
    readonly file: string,
    readonly visitor: BitcaskVisitor,
  ) {}

  get pending(): boolean {
    return this.#held.length > 0;
  }

  /** Where what is held back begins. */
  get from(): number {
    return this.#held[0]!.offset;
  }

  /** Losses come in file order, without a gap between those that are held back together. */
  add(loss: Loss): void {
    const last = this.#held.at(-1);
    if (last && this.#held.length >= HELD_MAX) {
      last.end = loss.end;
      last.records = undefined;
    } else if (loss.end > loss.offset) this.#held.push(loss);
  }

  /** Joins to the loss held back last what is of one kind with it. */
  extendLast(code: string, offset: number, end: number): boolean {
    const last = this.#held.at(-1);
    if (last?.code !== code || last.end !== offset) return false;
    last.end = end;
    if (last.records !== undefined) last.records++;
    return true;
  }

  /**
   * What was held back are holes. `evidence`: what decides that. `recordsMax`: how many records can
   * be missing at most, by the numbers around them.
   */
  holes(evidence: string, recordsMax = Number.POSITIVE_INFINITY): void {
    const held = this.#held;
    this.#held = [];
    for (const loss of held) this.visitor.damage(this.#damage(loss, evidence, recordsMax));
  }

  /** What was held back, and all up to `end`, is the torn end of the file. */
  torn(end: number, evidence: string): void {
    const [first, ...rest] = this.#held;
    if (!first) return;
    this.#held = [];
    const alone = rest.length === 0 && first.end === end;
    const { code, message } = first;
    // What mends a record does not mend what stands behind it.
    const more = { records: undefined, mend: undefined, key: undefined };
    const whole = alone ? first : { ...first, end, ...more };
    this.visitor.damage({
      ...this.#damage(whole, evidence),
      code: 'torn-tail',
      severity: 'warning',
      message: code === 'crc-mismatch' || code === 'bad-op' ? `${code}: ${message}` : message,
      repair: 'cut the file here, keep the bytes in quarantine',
      tail: true,
    });
  }

  /** Something wrong that costs no bytes of the file. */
  note(
    code: string,
    offset: number,
    length: number,
    message: string,
    more: Partial<BitcaskDamage> = {},
  ): void {
    this.visitor.damage({
      code,
      severity: 'error',
      file: this.file,
      offset,
      length,
      message,
      records: 0,
      tail: false,
      lost: false,
      ...more,
    });
  }

  #damage(
    { code, offset, end, message, records, diagnosis, mend, subject, key, deleted }: Loss,
    evidence: string,
    recordsMax = Number.POSITIVE_INFINITY,
  ): BitcaskDamage {
    const length = end - offset;
    const most = Math.max(1, Math.floor(length / HEAD_BYTES));
    return {
      code,
      severity: 'error',
      file: this.file,
      offset,
      length,
      message,
      evidence,
      ...(diagnosis !== undefined && { diagnosis }),
      repair: DROP,
      records: records ?? Math.min(most, recordsMax),
      tail: false,
      lost: true,
      ...(mend && { mend }),
      ...(subject !== undefined && { subject }),
      ...(key && { key, deleted }),
    };
  }
}
