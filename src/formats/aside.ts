/**
 * Work for a second thread. A format starts none, and opens no file: it asks for a part of a
 * verification or of a dump to be done aside, and is told what came of it. Whoever opened the files
 * offers that, or does not: then the format does all by itself.
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

/**
 * Has Family.printPart called in another thread, for the same files and dialect, with a sink like
 * the one that the records go to here. `part` is plain data.
 */
export type AskPrinting = (part: unknown) => Printing;

/** Records that are being printed aside, stretch by stretch. */
export interface Printing {
  /** The next stretch, in their order; undefined: there is none any more. Never rejects. */
  next(): Promise<Stretch | undefined>;
  /** Ends it. */
  stop(): void;
}

/** Some records, printed. */
export interface Stretch {
  number: number;
  records: number;
  /** Bytes of the file that they were read from. */
  bytes: number;
  text: Uint8Array;
}

/**
 * Hands over what was printed since the last time; undefined: it is thrown away. Resolves when
 * there is room for more.
 */
export type EmitStretch = (stretch: Omit<Stretch, 'text'> | undefined) => Promise<void>;
