/** The second thread of a verification: does the one part that it is started for. See aside.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadFamilies } from '../formats/registry.ts';
import { openFileSet } from '../io/file-set.ts';
import type { AsideMessage, AsideWork } from './aside.ts';

const PROGRESS_MILLISECONDS = 100;

async function answer({ path, part, limits, ...work }: AsideWork): Promise<unknown> {
  const [family] = await loadFamilies([work.family]);
  const dialect = family?.dialects.find(({ id }) => id === work.dialect);
  if (!family?.verifyPart || !dialect) return undefined;
  const set = openFileSet(path);
  const byName = new Map(set.files.map((file) => [file.name, file]));
  const files = work.files.flatMap((name) => byName.get(name) ?? []);
  if (files.length !== work.files.length) return undefined;
  let told = performance.now();
  return family.verifyPart({ set, dialect, files }, part, {
    limits,
    progress(...progress) {
      const now = performance.now();
      if (now - told < PROGRESS_MILLISECONDS) return;
      told = now;
      tell({ progress });
    },
  });
}

function tell(message: AsideMessage): void {
  parentPort?.postMessage(message);
}

tell({ answer: await answer(workerData as AsideWork) });
