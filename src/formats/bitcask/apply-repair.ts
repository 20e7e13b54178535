/** Carries a plan out: data without what is dropped, and hint files that go with it. */
import { copyFile, copySpans } from '../copy-spans.ts';
import type { FileOutput } from '../file-output.ts';
import type { ByteSource, RepairOutput, RepairPlan } from '../format.ts';
import { RecordCopier } from './copy.ts';
import { hintNameOf, storeFiles } from './files.ts';
import { HintWriter } from './hint-writer.ts';
import { LiveIndex } from './live.ts';
import { Dropped, mendedInput } from './mended-input.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';
import { scanStore } from './reader.ts';
import { StoreWriter } from './write.ts';

export async function applyStoreRepair(
  input: BitcaskOpened,
  plan: RepairPlan,
  context: BitcaskScanContext,
  output: RepairOutput,
): Promise<void> {
  if (input.dialect.identity && plan.rewrite.length > 0) {
    await writeAnew(input, plan, context, output);
    return;
  }
  const { data, hints, companions } = storeFiles(input);
  const anew = new Set(plan.rewrite);
  for (const { name } of data) {
    const spans = plan.ledger.filter(({ file }) => file === name);
    await withSource(input, name, (source) => copySpans(source, spans, context, output));
  }
  await buildHints(input, plan.ledger, anew, context, output);
  const gone = new Set(plan.remove ?? []);
  for (const { name } of [...hints, ...companions]) {
    if (anew.has(name) || gone.has(name)) continue;
    await withSource(input, name, (source) => copyFile(source, context, output));
  }
}

/**
 * Writes the hint files that `names` names, for the data files as they are when `ledger` is carried
 * out.
 */
export async function buildHints(
  input: BitcaskOpened,
  ledger: RepairPlan['ledger'],
  names: ReadonlySet<string>,
  context: BitcaskScanContext,
  output: RepairOutput,
): Promise<void> {
  const { dialect } = input;
  if (names.size === 0) return;
  const mended = mendedInput(input, ledger);
  const live = dialect.hints.deletions ? undefined : await liveWithout(mended, ledger, context);
  const writer = dialect.encoder!.open(dialect.identity?.(input.set).storeId ?? 0n);
  const hint = new HintWriter(dialect);
  let dropped: Dropped;
  let wanted = false;
  await scanStore(mended, context, {
    file(file) {
      wanted = names.has(hintNameOf(dialect, file));
      dropped = new Dropped(ledger, file.name);
      hint.clear();
    },
    record(record) {
      if (!wanted) return;
      const before = dropped.before(record.offset);
      if (before !== undefined) hint.add(record, record.offset - before, record.length);
    },
    damage() {},
    fileEnd(file, index) {
      if (!wanted) return;
      const { number = 0, size = 0 } = file;
      const target = output.create(hintNameOf(dialect, file));
      const emit = (bytes: Uint8Array) => target.write(bytes, 0, bytes.length);
      const counts = live && placesThatCount(live, index);
      hint.write(writer, number, size - dropped.total, emit, counts);
      target.finish();
    },
  });
}

/** What counts of the records that stay, by their places in the new files. */
async function liveWithout(
  input: BitcaskOpened,
  ledger: RepairPlan['ledger'],
  context: BitcaskScanContext,
): Promise<LiveIndex> {
  const live = new LiveIndex(input.dialect);
  let dropped: Dropped;
  await scanStore(input, context, {
    file({ name }, index) {
      live.beginFile(index);
      dropped = new Dropped(ledger, name);
    },
    record(record) {
      const before = dropped.before(record.offset);
      if (before !== undefined) live.record(record, record.offset - before);
    },
    damage() {},
  });
  return live;
}

function placesThatCount({ keys }: LiveIndex, index: number) {
  return (bytes: Uint8Array, start: number, end: number, position: number): boolean => {
    const entry = keys.find(bytes, start, end);
    return entry >= 0 && keys.file(entry) === index && keys.position(entry) === position;
  };
}

/** All of a store whose records are bound to their places: the same files, numbers and identity. */
async function writeAnew(
  input: BitcaskOpened,
  { ledger }: RepairPlan,
  context: BitcaskScanContext,
  output: RepairOutput,
): Promise<void> {
  const { storeId, merged } = input.dialect.identity!(input.set);
  const writer = new StoreWriter(
    input.dialect,
    { storeId, merged: false, hints: true },
    fileOutput(output),
  );
  const copier = new RecordCopier(writer, { timestamp: Number.NaN });
  let dropped: Dropped;
  await scanStore(mendedInput(input, ledger), context, {
    file({ name, number = 1 }) {
      dropped = new Dropped(ledger, name);
      writer.begin(number, merged.has(number));
    },
    record(record) {
      if (dropped.before(record.offset) === undefined) return;
      copier.copy(record, record.seq, !merged.has(input.dialect.dataFile(record.file) ?? 1));
    },
    damage() {},
  });
  writer.end();
}

function fileOutput(output: RepairOutput): FileOutput {
  let file: ReturnType<RepairOutput['create']> | undefined;
  return {
    begin(name) {
      file = output.create(name);
    },
    write: (bytes) => file!.write(bytes, 0, bytes.length),
    finish: () => file!.finish(),
  };
}

async function withSource(
  { set }: BitcaskOpened,
  name: string,
  use: (source: ByteSource) => Promise<void>,
): Promise<void> {
  const source = set.open(name);
  try {
    await use(source);
  } finally {
    source.close?.();
  }
}
