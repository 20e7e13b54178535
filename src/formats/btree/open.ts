/** Opens each file of an input for a verb, and closes it whatever happens. */
import { DdiaError } from '../../shared/errors.ts';
import type { FileEntry, ScanContext } from '../format.ts';
import { Check } from './check.ts';
import type {
  BtreeContext,
  BtreeFile,
  BtreeFinding,
  BtreeOpened,
  CheckOptions,
  TreeInfo,
} from './model.ts';
import { run } from './steps.ts';

export function btreeContext(input: BtreeOpened, context: ScanContext): BtreeContext {
  return { ...context, set: input.set };
}

export async function withFiles(
  input: BtreeOpened,
  context: BtreeContext,
  use: (file: BtreeFile, entry: FileEntry) => Promise<void>,
): Promise<void> {
  for (const entry of input.files) {
    const source = input.set.open(entry.name);
    let file: BtreeFile | undefined;
    try {
      if (source.forwardOnly) refuseStream(source.name);
      file = await input.dialect.open(input, source, context);
      await use(file, entry);
    } finally {
      if (file) file.close();
      else source.close?.();
    }
  }
}

function refuseStream(name: string): never {
  throw new DdiaError(
    'needs-a-file',
    `${name}: the pages of a B+tree lie in no fixed order, and a pipe goes by once`,
    'give a file, or redirect one: ddia … - < FILE',
  );
}

/** All passes over a file. */
export async function checkFile(
  file: BtreeFile,
  context: BtreeContext,
  onFinding: (finding: BtreeFinding) => void,
  options: CheckOptions = {},
): Promise<Check> {
  for (const note of file.notes) onFinding(note);
  await file.prepare?.(options);
  const check = new Check(file, file.pageCount, onFinding);
  await run(file.check(check, options), context, file);
  return check;
}

/** Of trees that there are, where one is not. */
const NAMES_MAX = 20;

/** The tree of that name. Throws a DdiaError that lists those there are. */
export function treeNamed(file: BtreeFile, name: string): TreeInfo {
  // By its name a tree is read alone, without those that lie in it.
  const tree = file.findTree?.(name) ?? file.trees.find((one) => one.name === name);
  if (tree) return tree;
  const all = [...file.trees.map((one) => one.name), ...(file.namesWithin?.(NAMES_MAX) ?? [])];
  const some = all.slice(0, NAMES_MAX).map((one) => JSON.stringify(one));
  const more = all.length > some.length ? ', …' : '';
  throw new DdiaError(
    'no-such-tree',
    `${file.name} has no tree ${JSON.stringify(name)}`,
    `it has: ${some.join(', ')}${more}`,
  );
}
