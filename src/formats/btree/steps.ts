/** Runs long synchronous work in steps: between two, progress is shown and signals are seen. */
import type { ScanContext } from '../format.ts';
import type { Steps } from './model.ts';

/** Between steps the event loop gets a turn this often. */
const YIELD_MILLISECONDS = 50;

/** `steps` yields how many pages are done. */
export async function run(
  steps: Steps,
  context: ScanContext,
  file: { name: string; size: number; pageSize: number },
): Promise<void> {
  let last = performance.now();
  context.signal?.throwIfAborted();
  for (const pages of steps) {
    const paused = context.pause?.();
    if (paused) await paused;
    const now = performance.now();
    if (now - last < YIELD_MILLISECONDS) continue;
    last = now;
    context.progress?.(file.name, Math.min(pages * file.pageSize, file.size), file.size);
    await new Promise((resolve) => setImmediate(resolve));
    context.signal?.throwIfAborted();
  }
}
