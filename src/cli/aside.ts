/**
 * Offers a second thread to a verification, for files that can be opened there too. See
 * formats/aside.ts; what runs in the thread is aside-worker.ts.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import type { Aside, AskAside } from '../formats/aside.ts';
import type { Identified } from '../formats/detect.ts';
import type { Limits, ScanContext } from '../formats/format.ts';
import { builtInDialects } from '../formats/registry.ts';

const require = createRequire(import.meta.url);

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
  workerData: AsideWork,
  progress: NonNullable<ScanContext['progress']>,
  signal: AbortSignal | undefined,
): Aside {
  // Loaded here, and at once: files that are small need no threads, and others no turn of the event
  // loop before theirs begins.
  const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
  let worker: InstanceType<typeof Worker>;
  try {
    worker = new Worker(script, { workerData, execArgv: [] });
  } catch {
    return { answer: Promise.resolve(undefined), stop() {} };
  }
  const stop = () => void worker.terminate();
  signal?.addEventListener('abort', stop, { once: true });
  const answer = new Promise<unknown>((resolve) => {
    worker.on('message', (message: AsideMessage) => {
      if ('progress' in message) progress(...message.progress);
      else resolve(message.answer);
    });
    // Whatever went wrong, with the file or with the thread: the first one comes to it, or does
    // without.
    worker.on('error', () => resolve(undefined));
    worker.on('exit', () => {
      signal?.removeEventListener('abort', stop);
      resolve(undefined);
    });
  });
  return { answer, stop };
}
