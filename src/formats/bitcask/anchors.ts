/** Where a hint file says that the records of its data file begin. */
import type { DataFile } from './files.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';

/** 128 MiB of them: a hostile hint file gets no more. */
const ANCHORS_MAX = 2 ** 24;

export interface Anchors {
  /** The hint file's name. */
  readonly file: string;
  /** Offsets in the data file, ascending, each once. */
  readonly offsets: Float64Array;
  /** False when the hint file is damaged: behind the damage are others. */
  readonly whole: boolean;
}

/** Undefined where there is no hint file. */
export async function readAnchors(
  input: BitcaskOpened,
  file: DataFile,
  context: BitcaskScanContext,
): Promise<Anchors | undefined> {
  const { hint, number } = file;
  if (!hint) return undefined;
  let offsets = new Float64Array(64);
  let count = 0;
  let whole = true;
  const source = input.set.open(hint.name);
  try {
    await input.dialect.scanHint(
      source,
      { ...context, carry: undefined, from: undefined, progress: undefined },
      {
        entry(entry) {
          if (entry.dataFile !== number) return;
          if (count === offsets.length) {
            const grown = new Float64Array(count * 2);
            grown.set(offsets);
            offsets = grown;
          }
          offsets[count++] = entry.position;
        },
        damage() {
          whole = false;
        },
        done: () => count > ANCHORS_MAX,
      },
    );
  } finally {
    source.close?.();
  }
  if (count > ANCHORS_MAX) whole = false;
  const sorted = offsets.subarray(0, count).sort();
  let kept = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0 || sorted[i] !== sorted[kept - 1]) sorted[kept++] = sorted[i]!;
  }
  return { file: hint.name, offsets: sorted.subarray(0, kept), whole };
}
