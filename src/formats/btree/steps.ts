/** Runs long synchronous work in steps: between two, progress is shown and signals are seen. */
import { Turns } from '../../shared/turns.ts';
import type { ScanContext } from '../format.ts';
import type { Steps } from './model.ts';

/** `steps` yields how many pages are done. */
export async function run(
  steps: Steps,
  context: ScanContext,
  file: { name: string; size: number; pageSize: number },
): Promise<void> {
  context.signal?.throwIfAborted();
  const turns = new Turns(context);
  for (const pages of steps) {
    const paused = context.pause?.();
    if (paused) await paused;
    if (!turns.due) continue;
    context.progress?.(file.name, Math.min(pages * file.pageSize, file.size), file.size);
    await turns.take();
  }
}
