/** Where a command's bytes go: a file that appears whole or not at all, or standard output. */
import { DurableWriter } from '../io/durable.ts';
import { RealDisk } from '../io/real-disk.ts';
import type { Output } from '../ui/output.ts';

export interface ByteTarget {
  write(bytes: Uint8Array): void;
  /** Makes what was written durable. */
  finish(): void;
  /** Leaves nothing behind, unless it is finished. */
  abandon(): void;
}

export function byteTarget(out: Output, path: string | undefined, force: boolean): ByteTarget {
  if (path === undefined || path === '-') {
    return {
      write: (bytes) => out.raw(bytes, 0, bytes.length),
      finish: () => out.flush(),
      abandon() {},
    };
  }
  const writer = DurableWriter.create(new RealDisk(), path, { overwrite: force });
  let finished = false;
  return {
    write: (bytes) => writer.append(bytes, 0, bytes.length),
    finish() {
      finished = true;
      writer.finish();
    },
    abandon() {
      if (!finished) writer.abort();
    },
  };
}
