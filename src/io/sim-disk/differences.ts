import type { DiskImage } from './image.ts';
import type { FileImage } from './nodes.ts';

/** In words, the names whose files are not the same in both, as calls see them. */
export function differences(before: DiskImage, after: DiskImage): string[] {
  const [old, now] = [filesOf(before), filesOf(after)];
  const found: string[] = [];
  for (const path of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [a, b] = [old.get(path), now.get(path)];
    if (b === undefined) found.push(`${path} is gone`);
    else if (a === undefined) found.push(`${path} is new`);
    else if (a !== 'directory' && b !== 'directory') {
      if (a.live.size !== b.live.size) {
        found.push(`${path} had ${a.live.size} bytes and has ${b.live.size}`);
      } else if (`${a.live.digest()}` !== `${b.live.digest()}`) {
        found.push(`${path} differs from byte ${firstDifference(a, b)}`);
      }
    } else if (a !== b) found.push(`${path} is no longer of the same kind`);
  }
  return found;
}

function filesOf(image: DiskImage): Map<string, FileImage | 'directory'> {
  const found = new Map<string, FileImage | 'directory'>();
  const visit = (id: number, path: string): void => {
    const node = image.nodes.get(id);
    if (node === undefined) return;
    found.set(path, node.kind === 'file' ? node : 'directory');
    if (node.kind === 'file') return;
    for (const [name, child] of node.live) visit(child, `${path}/${name}`);
  };
  visit(image.root, '');
  return found;
}

function firstDifference(a: FileImage, b: FileImage): number {
  const [left, right] = [a.live.slice(0, a.live.size), b.live.slice(0, b.live.size)];
  return left.findIndex((byte, at) => byte !== right[at]);
}
