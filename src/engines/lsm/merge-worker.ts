/** A thread that carries out merges, one at a time. See merge-runner.ts. */
import { parentPort } from 'node:worker_threads';
import { RealDisk } from '../../io/real-disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { BlockCache } from './block-cache.ts';
import { type MergeResult, runMerge } from './merge-job.ts';
import { type FromWorker, type ToWorker, takeFrom, transferred } from './merge-runner.ts';
import { paceOf } from './pace.ts';
import { TableFile } from './table-file.ts';

const disk = new RealDisk();
let stop = new AbortController();

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'abort') stop.abort(new DdiaError('closed', 'the merge was ended'));
  else void merge(message).then(tell);
});

async function merge(asked: Extract<ToWorker, { kind: 'merge' }>): Promise<FromWorker> {
  const { job, numbers, bytesPerSecond } = asked;
  stop = new AbortController();
  // A merge reads past the cache.
  const cache = new BlockCache(0);
  const inputs = job.inputs.map((entry) => new TableFile(disk, job.directory, entry, cache));
  const pace = paceOf(bytesPerSecond, stop.signal);
  let result: MergeResult;
  try {
    result = await runMerge(disk, job, inputs, () => takeFrom(numbers), pace);
  } catch (error) {
    return { error: transferred(error) };
  } finally {
    for (const table of inputs) table.close();
  }
  return { result };
}

function tell(answer: FromWorker): void {
  parentPort?.postMessage(answer);
}
