/**
 * A place where the bytes of a log or a store yield no record, or where a record's surroundings
 * contradict it: a finding, and what only the family needs to judge it.
 */
import type { Finding } from './format.ts';

/** Bytes to put in a place of the file. */
export interface Mend {
  offset: number;
  hex: string;
}

/**
 * `records` bounds how many records the span may have held, so that what it explains is not told
 * twice: 1 for a span whose framing is intact, Infinity where nothing is known. `tail` marks damage
 * that reaches the file's end with nothing intact behind it in this file; only the family can tell
 * what the files behind it make of that.
 */
export interface Damage extends Finding {
  records: number;
  tail: boolean;
  /** False where every record of the span was yielded all the same (a mended length field). */
  lost: boolean;
  /** The bytes with which the checksum holds, where exactly one explanation fits. */
  mend?: Mend;
  /**
   * False for a tail that does not even begin like a record: alone in a log, that is no crash's.
   */
  begun?: boolean;
  /** What the lost record seems to have been: `put "user:005"`. */
  subject?: string;
  /**
   * True for a record that was yielded and yet must not be kept: a page image for the wrong page.
   */
  distrust?: boolean;
}

/** The finding alone, without what only the family needs. */
export function findingOf(damage: Damage): Finding {
  const { code, severity, file, offset, length, message, evidence, diagnosis, repair } = damage;
  const finding: Finding = { code, severity, file, offset, length, message };
  if (evidence) finding.evidence = evidence;
  if (diagnosis) finding.diagnosis = diagnosis;
  if (repair) finding.repair = repair;
  return finding;
}
