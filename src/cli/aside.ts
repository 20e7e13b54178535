/**
 * Offers a second thread to a verification or a dump, for files that can be opened there too. See
 * formats/aside.ts; what runs in the thread is aside-worker.ts.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import type { Aside, AskAside, AskPrinting, Printing, Stretch } from '../formats/aside.ts';
import type { Identified } from '../formats/detect.ts';
import type { Limits, ScanContext } from '../formats/format.ts';
import { builtInDialects } from '../formats/registry.ts';
import type { BytesFormats } from '../ui/bytes-format.ts';

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
  /** How records are printed, for a dump. */
  print?: PrintHow;
}

export interface PrintHow {
  json: boolean;
  formats: BytesFormats;
}

/** What the thread sends: how far it is, now and then, and in the end an answer. */
export type AsideMessage =
  | { progress: Parameters<NonNullable<ScanContext['progress']>> }
  | { answer: unknown }
  | { stretch: Stretch };

/** What it is sent while it prints: that a stretch was taken. */
export type AsideOrder = 'more';

/** Stretches that may wait to be taken. */
export const STRETCHES_AHEAD = 3;

type Input = Omit<Identified, 'detection'>;
type Bounds = Pick<ScanContext, 'limits' | 'signal'>;

/**
 * `script`: the worker's file as it was built. Undefined where all is for one thread: a single
 * core, a dialect that a plugin has brought, standard input.
 */
export function asideFor(
  input: Input,
  { limits, signal }: Bounds,
  script: string,
  cores = availableParallelism(),
): AskAside | undefined {
  if (!input.family.verifyPart || !canBeShared(input, cores)) return undefined;
  return (part, progress) => answered(script, workOf(input, part, limits), progress, signal);
}

/** The same for a dump. */
export function printingFor(
  input: Input,
  { limits, signal }: Bounds,
  script: string,
  print: PrintHow,
  cores = availableParallelism(),
): AskPrinting | undefined {
  if (!input.family.printPart || !canBeShared(input, cores)) return undefined;
  return (part) => printed(script, { ...workOf(input, part, limits), print }, signal);
}

function canBeShared({ set, family, dialect }: Input, cores: number): boolean {
  const known = builtInDialects[family.id]?.includes(dialect.id) ?? false;
  return known && set.path !== '-' && cores >= 2;
}

function workOf({ set, family, dialect, files }: Input, part: unknown, limits: Limits): AsideWork {
  const names = files.map(({ name }) => name);
  return { path: set.path, family: family.id, dialect: dialect.id, files: names, part, limits };
}

interface Thread {
  send(order: AsideOrder): void;
  stop(): void;
}

/**
 * `ended` comes at least once. Whatever went wrong, with the file or with the thread: the first one
 * comes to it, or does without.
 */
function start(
  script: string,
  workerData: AsideWork,
  signal: AbortSignal | undefined,
  heard: (message: AsideMessage) => void,
  ended: () => void,
): Thread {
  // Loaded here, and at once: files that are small need no threads, and others no turn of the event
  // loop before theirs begins.
  const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
  let worker: InstanceType<typeof Worker>;
  try {
    worker = new Worker(script, { workerData, execArgv: [] });
  } catch {
    ended();
    return { send() {}, stop() {} };
  }
  const stop = () => void worker.terminate();
  signal?.addEventListener('abort', stop, { once: true });
  worker.on('message', heard);
  worker.on('error', ended);
  worker.on('exit', () => {
    signal?.removeEventListener('abort', stop);
    ended();
  });
  return { send: (order) => worker.postMessage(order), stop };
}

function answered(
  script: string,
  work: AsideWork,
  progress: NonNullable<ScanContext['progress']>,
  signal: AbortSignal | undefined,
): Aside {
  let tell: (answer: unknown) => void = () => {};
  const answer = new Promise<unknown>((resolve) => {
    tell = resolve;
  });
  const heard = (message: AsideMessage): void => {
    if ('progress' in message) progress(...message.progress);
    else if ('answer' in message) tell(message.answer);
  };
  const { stop } = start(script, work, signal, heard, () => tell(undefined));
  return { answer, stop };
}

function printed(script: string, work: AsideWork, signal: AbortSignal | undefined): Printing {
  const stretches: Stretch[] = [];
  let over = false;
  let wake: () => void = () => {};
  const heard = (message: AsideMessage): void => {
    if ('stretch' in message) stretches.push(message.stretch);
    else if ('answer' in message) over = true;
    wake();
  };
  const ended = (): void => {
    over = true;
    wake();
  };
  const { send, stop } = start(script, work, signal, heard, ended);
  return {
    async next() {
      while (stretches.length === 0 && !over) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      signal?.throwIfAborted();
      const stretch = stretches.shift();
      if (stretch) send('more');
      return stretch;
    },
    stop,
  };
}
