/** Carries a ledger out on one file: copies what is kept, puts in what is mended. */
import type { ByteSource, LedgerSpan, RepairOutput, ScanContext } from './format.ts';

const COPY_BYTES = 1024 * 1024;

export async function copySpans(
  source: ByteSource,
  spans: readonly LedgerSpan[],
  context: ScanContext,
  output: RepairOutput,
): Promise<void> {
  const target = output.create(source.name);
  const buffer = new Uint8Array(COPY_BYTES);
  for (const { offset, length, fate, mends = [] } of spans) {
    if (fate === 'dropped') continue;
    for (let done = 0; done < length; ) {
      context.signal?.throwIfAborted();
      const got = await source.read(buffer, 0, Math.min(COPY_BYTES, length - done), offset + done);
      if (got <= 0) throw new Error(`${source.name} ended at ${offset + done} while it was copied`);
      for (const mend of mends) patch(buffer, offset + done, got, mend);
      target.write(buffer, 0, got);
      done += got;
    }
  }
  target.finish();
}

/** Copies a whole file. */
export async function copyFile(
  source: ByteSource,
  context: ScanContext,
  output: RepairOutput,
): Promise<void> {
  const { name: file, size = 0 } = source;
  const whole = { file, offset: 0, length: size, fate: 'kept' as const, records: 0 };
  await copySpans(source, [whole], context, output);
}

/** The source as it is with the mends put in. */
export function mendedSource(
  source: ByteSource,
  mends: readonly { offset: number; hex: string }[],
): ByteSource {
  if (mends.length === 0) return source;
  const mendPiece = (target: Uint8Array, start: number, got: number, position: number) => {
    const piece = target.subarray(start, start + Math.max(0, got));
    for (const mend of mends) patch(piece, position, piece.length, mend);
    return got;
  };
  return {
    name: source.name,
    size: source.size,
    read(target, start, length, position) {
      const got = source.read(target, start, length, position);
      return typeof got === 'number'
        ? mendPiece(target, start, got, position)
        : got.then((bytes) => mendPiece(target, start, bytes, position));
    },
    close: () => source.close?.(),
  };
}

/** Puts the mended bytes where they fall into a piece of the file. */
function patch(
  buffer: Uint8Array,
  at: number,
  length: number,
  mend: { offset: number; hex: string },
): void {
  const bytes = Buffer.from(mend.hex, 'hex');
  for (let i = 0; i < bytes.length; i++) {
    const index = mend.offset + i - at;
    if (index >= 0 && index < length) buffer[index] = bytes[i]!;
  }
}

/** Where a span ends. */
export function spanEnd(span: LedgerSpan): number {
  return span.offset + span.length;
}
