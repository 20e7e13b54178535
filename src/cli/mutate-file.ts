/** mutate: a damaged copy of a file, which appears whole or not at all. */

import { type Mutated, mutate } from '../formats/mutate/mutation.ts';
import { Pieces } from '../formats/mutate/pieces.ts';
import { randomMutation } from '../formats/mutate/random-mutation.ts';
import type { FileStat } from '../io/disk.ts';
import { DurableWriter } from '../io/durable.ts';
import { FileSource } from '../io/file-source.ts';
import { RealDisk } from '../io/real-disk.ts';
import { isSameFile } from '../io/small-file.ts';
import { DdiaError, fromSystemError } from '../shared/errors.ts';
import { Random } from '../shared/random.ts';
import { turn } from '../shared/turns.ts';
import type { Step } from './mutation-flags.ts';

const CHUNK_BYTES = 1024 * 1024;
/** Between so many chunks a signal gets its turn. */
const CHUNKS_A_TURN = 16;

export interface MutateOptions {
  seed: bigint;
  pageSize: number | undefined;
  force: boolean;
  signal: AbortSignal;
  progress: (file: string, done: number, size: number) => void;
}

export interface MutateResult {
  input: string;
  out: string;
  /** Digits in a string beyond 2^53 - 1. */
  seed: number | string;
  inputSize: number;
  outSize: number;
  mutations: Mutated[];
}

export async function mutateFile(
  input: string,
  out: string,
  steps: readonly Step[],
  options: MutateOptions,
): Promise<MutateResult> {
  checkPlaces(input, out, options.force);
  const source = new FileSource(input, input);
  try {
    const pieces = new Pieces(source.size, (target, start, length, position) => {
      const got = source.read(target, start, length, position);
      if (got < length) {
        throw new DdiaError(
          'input-changed',
          `${input} ends at ${position + got}, it had ${source.size} bytes when it was opened`,
        );
      }
    });
    const mutations = mutateAll(pieces, steps, options);
    await writeOut(pieces, out, options);
    const { size: inputSize } = source;
    const seed = Number.isSafeInteger(Number(options.seed))
      ? Number(options.seed)
      : `${options.seed}`;
    return { input, out, seed, inputSize, outSize: pieces.size, mutations };
  } finally {
    source.close();
  }
}

function mutateAll(
  pieces: Pieces,
  steps: readonly Step[],
  { seed, pageSize }: MutateOptions,
): Mutated[] {
  const random = new Random(seed);
  const done: Mutated[] = [];
  for (const step of steps) {
    if (step.kind !== 'random') {
      done.push(mutate(pieces, step, random));
      continue;
    }
    for (let i = 0; i < step.count; i++) {
      const chosen = randomMutation(random, step.kinds, pieces.size, pageSize);
      done.push(mutate(pieces, chosen, random));
    }
  }
  return done;
}

/** The input is a file, and the output is not it, under whatever name. */
function checkPlaces(input: string, out: string, force: boolean): void {
  const disk = new RealDisk();
  const from = statOf(disk, input);
  if (!from) throw new DdiaError('not-found', `no such file or directory: ${input}`);
  if (from.kind !== 'file') {
    throw new DdiaError(
      'not-a-file',
      `not a regular file: ${input}`,
      'mutate damages a copy of one file at a time',
    );
  }
  const to = statOf(disk, out);
  if (!to) return;
  if (isSameFile(input, out)) {
    throw new DdiaError('same-file', `--out ${out} is the input; it is never changed`);
  }
  if (to.kind === 'directory') {
    throw new DdiaError('is-directory', `--out is a directory: ${out}`);
  }
  if (!force) throw new DdiaError('exists', `already exists: ${out}`, '--force replaces it');
}

function statOf(disk: RealDisk, path: string): FileStat | undefined {
  try {
    return disk.stat(path);
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

async function writeOut(pieces: Pieces, out: string, options: MutateOptions): Promise<void> {
  try {
    const writer = DurableWriter.create(new RealDisk(), out, { overwrite: options.force });
    try {
      let chunks = 0;
      for (const chunk of pieces.chunks(new Uint8Array(CHUNK_BYTES))) {
        writer.append(chunk, 0, chunk.length);
        options.progress(out, writer.size, pieces.size);
        if (++chunks % CHUNKS_A_TURN !== 0) continue;
        await turn(options);
      }
      writer.finish();
    } finally {
      writer.abort();
    }
  } catch (error) {
    // What is aborted is no fault of the disk's.
    if (options.signal.aborted) throw error;
    throw fromSystemError(error, out);
  }
}
