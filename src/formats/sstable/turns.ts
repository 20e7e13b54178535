/**
 * dump of a big table by two threads, by turns: the one prints the records of the even stretches of
 * the file, the other those of the odd ones, a few ahead, and hands their text over. The index says
 * where blocks begin, so both know the stretches.
 *
 *     first      [ 0 ]       [ 2 ]       [ 4 ] …
 *     second           [ 1 ]       [ 3 ]       …
 *
 * What is damaged is never told of by the second one: it hands nothing over for that stretch, and
 * the first one reads it itself.
 */
import type { EmitStretch, Printing, Stretch } from '../aside.ts';
import type { RecordSink, ScanContext } from '../format.ts';
import { EntryPrinter } from './entry-printer.ts';
import type { TableOpened, Turns } from './model.ts';
import { openSeekable } from './seekable.ts';

/** Large enough that handing over does not count, small enough to be held a few times. */
const STRETCH_BYTES = 512 * 1024;
/** Tables below this are printed before a thread has started. */
const FROM_BYTES = 32 * 1024 * 1024;

/** How a file is shared; undefined: it is for one. */
export function partOfDump(file: number, size: number): PrintPart | undefined {
  return size < FROM_BYTES ? undefined : { file, stretchBytes: STRETCH_BYTES };
}

/** What the second one is asked for. Plain data. */
export interface PrintPart {
  file: number;
  stretchBytes: number;
}

/** The first one's: takes from the other what it has printed. */
export class FirstOfTwo implements Turns {
  readonly blocksOnly = false;
  #next: Stretch | undefined;
  #ended = false;

  constructor(
    readonly stretchBytes: number,
    readonly printing: Printing,
    readonly take: (stretch: Stretch) => void,
  ) {}

  async turn(stretch: number): Promise<boolean> {
    if (stretch % 2 === 0) return true;
    while (!this.#ended && (this.#next?.number ?? -1) < stretch) {
      this.#next = await this.printing.next();
      this.#ended = this.#next === undefined;
    }
    if (this.#next?.number !== stretch) return true;
    this.take(this.#next);
    return false;
  }
}

/** The second one's work. */
export async function printTablePart(
  { set, dialect, files }: TableOpened,
  { file, stretchBytes }: PrintPart,
  context: ScanContext,
  sink: RecordSink,
  emit: EmitStretch,
): Promise<void> {
  const printer = new EntryPrinter(sink, dialect.hasSeq);
  let stretch: Omit<Stretch, 'text'> | undefined;
  let damaged = false;
  const end = async (): Promise<void> => {
    if (stretch) await emit(damaged ? undefined : stretch);
    stretch = undefined;
    damaged = false;
  };
  const turns: Turns = {
    stretchBytes,
    blocksOnly: true,
    async turn(number) {
      await end();
      if (number % 2 === 0) return false;
      stretch = { number, records: 0, bytes: 0 };
      return true;
    },
  };
  const source = await openSeekable({ set, dialect, files }, files[file]!, context.limits);
  try {
    await dialect.scan(
      source,
      { ...context, depth: 'read', turns },
      {
        block(block) {
          if (!stretch) return;
          printer.begin(block);
          stretch.bytes += block.length;
          stretch.records += block.count;
          for (let i = 0; i < block.count; i++) printer.entry(block, i);
        },
        damage() {
          damaged = true;
        },
      },
    );
    await end();
  } finally {
    source.close?.();
  }
}
