/**
 * Offers a second thread to a verification, for files that can be opened there too. See
 * formats/aside.ts; what runs in the thread is aside-worker.ts.
 */
import { availableParallelism } from 'node:os';
import type { Aside, AskAside } from '../formats/aside.ts';
import type { Identified } from '../formats/detect.ts';
import type { Limits, ScanContext } from '../formats/format.ts';
import { builtInDialects } from '../formats/registry.ts';

/** What the thread is given to begin with. */
export interface AsideWork {
  path: string;
  family: string;
  dialect: string;
  /** Names of the files that the dialect reads, in order. */
  files: string[];
  part: unknown;
  limits: Limits;
}

/** What the thread sends: how far it is, now and then, and in the end an answer. */
export type AsideMessage =
  | { progress: Parameters<NonNullable<ScanContext['progress']>> }
  | { answer: unknown };

/**
 * `script`: the worker's file as it was built. Undefined where all is for one thread: a single
 * core, a dialect that a plugin has brought, standard input.
 */
export function asideFor(
  input: Omit<Identified, 'detection'>,
  { limits, signal }: Pick<ScanContext, 'limits' | 'signal'>,
  script: string,
  cores = availableParallelism(),
): AskAside | undefined {
  const { set, family, dialect, files } = input;
  const known = builtInDialects[family.id]?.includes(dialect.id);
  if (!family.verifyPart || !known || set.path === '-' || cores < 2) return undefined;
  return (part, progress) => {
    const work: AsideWork = {
      path: set.path,
      family: family.id,
      dialect: dialect.id,
      files: files.map(({ name }) => name),
      part,
      limits,
    };
    return start(script, work, progress, signal);
  };
}

function start(
  script: string,
  work: AsideWork,
  progress: NonNullable<ScanContext['progress']>,
  signal: AbortSignal | undefined,
): Aside {
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  signal?.addEventListener('abort', stop, { once: true });
  // Whatever went wrong, with the file or with the thread: the first one comes to it, or does
  // without.
  const answer = answered(script, work, progress, stopped.signal)
    .catch(() => undefined)
    .finally(() => signal?.removeEventListener('abort', stop));
  return { answer, stop };
}

async function answered(
  script: string,
  workerData: AsideWork,
  progress: NonNullable<ScanContext['progress']>,
  stopped: AbortSignal,
): Promise<unknown> {
  // Small files need no threads, and should not wait until Node has loaded them.
  const { Worker } = await import('node:worker_threads');
  if (stopped.aborted) return undefined;
  const worker = new Worker(script, { workerData, execArgv: [] });
  stopped.addEventListener('abort', () => void worker.terminate(), { once: true });
  return new Promise((resolve, reject) => {
    worker.on('message', (message: AsideMessage) => {
      if ('progress' in message) progress(...message.progress);
      else resolve(message.answer);
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(undefined));
  });
}
