/**
 * Bytes that a repair cannot use are kept: per input file one file of them, back to back, and an
 * index that says where each piece came from. The directory appears whole or not at all, and goes
 * again where what it is kept for does not come about.
 */
import type { FileSet, LedgerSpan } from '../formats/format.ts';
import { DdiaError } from '../shared/errors.ts';
import type { Disk } from './disk.ts';
import { NewDirectory } from './new-directory.ts';

const COPY_BYTES = 1024 * 1024;

export interface Quarantine {
  /** With the places of what is kept filled in. */
  readonly ledger: LedgerSpan[];
  /** Undefined: nothing is dropped, and nothing is kept. */
  readonly directory: NewDirectory | undefined;
}

/**
 * Copies the dropped spans of `ledger` out of `set`, durably. The directory has no name yet: that
 * is for the caller, who abandons it where the repair fails.
 */
export async function quarantine(
  disk: Disk,
  directory: string,
  set: FileSet,
  ledger: readonly LedgerSpan[],
  force: boolean,
): Promise<Quarantine> {
  const dropped = ledger.filter(({ fate }) => fate === 'dropped');
  if (dropped.length === 0) return { ledger: [...ledger], directory: undefined };
  const output = new NewDirectory(disk, directory, force);
  try {
    const places = new Map<LedgerSpan, string>();
    const index: unknown[] = [];
    for (const name of new Set(dropped.map(({ file }) => file))) {
      const spans = dropped.filter(({ file }) => file === name);
      await keep(output, set, name, spans, (span, at) => {
        const { file, offset, length, code, reason } = span;
        const place = { in: `${name}.dropped`, at };
        places.set(span, `${place.in} @ ${place.at}`);
        index.push({ file, offset, length, code, reason, ...place });
      });
    }
    const file = output.create('index.json');
    file.write(Buffer.from(`${JSON.stringify({ from: set.path, spans: index }, null, 2)}\n`));
    file.finish();
    const placed = ledger.map((span) => {
      const place = places.get(span);
      return place === undefined ? span : { ...span, quarantine: place };
    });
    return { ledger: placed, directory: output };
  } catch (error) {
    output.abandon();
    throw error;
  }
}

async function keep(
  output: NewDirectory,
  set: FileSet,
  name: string,
  spans: readonly LedgerSpan[],
  visit: (span: LedgerSpan, at: number) => void,
): Promise<void> {
  const target = output.create(`${name}.dropped`);
  const source = set.open(name);
  const buffer = new Uint8Array(COPY_BYTES);
  try {
    for (const span of spans) {
      const { offset, length } = span;
      visit(span, target.size);
      for (let done = 0; done < length; ) {
        const most = Math.min(COPY_BYTES, length - done);
        const got = await source.read(buffer, 0, most, offset + done);
        if (got <= 0) throw cutShort(name, offset + done);
        target.write(buffer, 0, got);
        done += got;
      }
    }
  } finally {
    source.close?.();
  }
  target.finish();
}

function cutShort(name: string, end: number): DdiaError {
  const what = `${name} ends at ${end} now: it changed while it was repaired`;
  return new DdiaError('input-changed', what, 'repair it again once nobody writes to it');
}
