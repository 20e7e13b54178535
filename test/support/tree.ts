/** Files on the disk, all those below a directory. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** By their path from `directory`; a directory without files is there as `name/`. */
export function treeOf(directory: string): Record<string, Buffer> {
  const tree: Record<string, Buffer> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(directory, path);
    if (entry.isFile()) tree[name] = readFileSync(path);
    else if (readdirSync(path).length === 0) tree[`${name}/`] = Buffer.alloc(0);
  }
  return tree;
}
