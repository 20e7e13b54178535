/**
 * The second thread of a verification or of a dump: does the one part that it is started for. See
 * aside.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { EmitStretch } from '../formats/aside.ts';
import type { Family, Opened } from '../formats/format.ts';
import { loadFamilies } from '../formats/registry.ts';
import { openFileSet } from '../io/file-set.ts';
import { type AsideMessage, type AsideWork, type PrintHow, STRETCHES_AHEAD } from './aside.ts';

const PROGRESS_MILLISECONDS = 100;

async function run({ path, part, limits, print, ...work }: AsideWork): Promise<unknown> {
  const [family] = await loadFamilies([work.family]);
  const dialect = family?.dialects.find(({ id }) => id === work.dialect);
  if (!family || !dialect) return undefined;
  const set = openFileSet(path);
  const byName = new Map(set.files.map((file) => [file.name, file]));
  const files = work.files.flatMap((name) => byName.get(name) ?? []);
  if (files.length !== work.files.length) return undefined;
  const input = { set, dialect, files };
  if (print) return printing(family, input, { part, limits, print });
  let told = performance.now();
  return family.verifyPart?.(input, part, {
    limits,
    progress(...progress) {
      const now = performance.now();
      if (now - told < PROGRESS_MILLISECONDS) return;
      told = now;
      tell({ progress });
    },
  });
}

async function printing(
  family: Family,
  input: Opened,
  { part, limits, print }: Pick<AsideWork, 'part' | 'limits'> & { print: PrintHow },
): Promise<void> {
  const { GatheredOutput } = await import('../ui/gathered-output.ts');
  const { JsonSink } = await import('../ui/json-sink.ts');
  const { TextSink } = await import('../ui/text-sink.ts');
  const out = new GatheredOutput();
  const sink = print.json ? new JsonSink(out, print.formats) : new TextSink(out, print.formats);
  let room = STRETCHES_AHEAD;
  let wake: () => void = () => {};
  parentPort?.on('message', () => {
    room++;
    wake();
  });
  const emit: EmitStretch = async (stretch) => {
    const text = out.take();
    if (!stretch) return;
    // Its memory goes over with it.
    parentPort?.postMessage({ stretch: { ...stretch, text } } satisfies AsideMessage, [
      text.buffer as ArrayBuffer,
    ]);
    room--;
    while (room <= 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await family.printPart?.(input, part, { limits }, sink, emit);
}

function tell(message: AsideMessage): void {
  parentPort?.postMessage(message);
}

tell({ answer: await run(workerData as AsideWork) });
parentPort?.unref();
