/**
 * Work for a second thread. A format starts none, and opens no file: it asks for a part of a
 * verification to be done aside, and is told what came of it. Whoever opened the files offers that,
 * or does not: then the format does all by itself.
 */
import type { ScanContext } from './format.ts';

/**
 * Has Family.verifyPart called in another thread, for the same files and dialect; `part` and the
 * answer are plain data. Not to be had where the files cannot be opened twice: standard input.
 */
export type AskAside = (part: unknown, progress: NonNullable<ScanContext['progress']>) => Aside;

/** A part that is under way. */
export interface Aside {
  /** What verifyPart returned; undefined when it failed or was stopped. Never rejects. */
  readonly answer: Promise<unknown>;
  /** Ends it: nobody waits for the answer any more. */
  stop(): void;
}
