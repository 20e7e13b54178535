/**
 * Bytes that a repair cannot use are kept: per input file one file of them, back to back, and an
 * index that says where each piece came from. The directory appears whole or not at all.
 */
import type { FileSet, LedgerSpan } from '../formats/format.ts';
import type { Disk } from './disk.ts';
import { NewDirectory } from './new-directory.ts';

const COPY_BYTES = 1024 * 1024;

/**
 * Copies the dropped spans of `ledger` out of `set` and returns the ledger with their places filled
 * in. Makes nothing, and returns the ledger as it is, if nothing is dropped.
 */
export async function quarantine(
  disk: Disk,
  directory: string,
  set: FileSet,
  ledger: readonly LedgerSpan[],
  force: boolean,
): Promise<LedgerSpan[]> {
  const dropped = ledger.filter(({ fate }) => fate === 'dropped');
  if (dropped.length === 0) return [...ledger];
  const output = new NewDirectory(disk, directory, force);
  try {
    const places = new Map<LedgerSpan, string>();
    const index: unknown[] = [];
    for (const name of new Set(dropped.map(({ file }) => file))) {
      const target = output.create(`${name}.dropped`);
      const source = set.open(name);
      const buffer = new Uint8Array(COPY_BYTES);
      try {
        for (const span of dropped.filter(({ file }) => file === name)) {
          const { file, offset, length, code, reason } = span;
          const place = { in: `${name}.dropped`, at: target.size };
          places.set(span, `${place.in} @ ${place.at}`);
          index.push({ file, offset, length, code, reason, ...place });
          for (let done = 0; done < length; ) {
            const most = Math.min(COPY_BYTES, length - done);
            const got = await source.read(buffer, 0, most, offset + done);
            if (got <= 0) throw new Error(`${name} ended at ${offset + done} while it was copied`);
            target.write(buffer, 0, got);
            done += got;
          }
        }
      } finally {
        source.close?.();
      }
      target.finish();
    }
    const file = output.create('index.json');
    file.write(Buffer.from(`${JSON.stringify({ from: set.path, spans: index }, null, 2)}\n`));
    file.finish();
    output.finish();
    return ledger.map((span) => {
      const place = places.get(span);
      return place === undefined ? span : { ...span, quarantine: place };
    });
  } finally {
    output.abandon();
  }
}
