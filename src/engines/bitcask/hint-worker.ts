/** A thread that reads and checks hint files. See hint-reader.ts. */
import { parentPort } from 'node:worker_threads';
import { RealDisk } from '../../io/real-disk.ts';
import { type HintAnswer, type HintRequest, readHint } from './hint-reader.ts';

const disk = new RealDisk();

parentPort?.on('message', ({ id, path, expected }: HintRequest) => {
  const hint = answer(path, expected);
  const message: HintAnswer = { id, hint };
  const moved = typeof hint === 'string' ? [] : [hint.buffer as ArrayBuffer];
  parentPort!.postMessage(message, moved);
});

function answer(path: string, expected: HintRequest['expected']): HintAnswer['hint'] {
  try {
    return readHint(disk, path, expected);
  } catch (error) {
    return (error as Error).message;
  }
}
