/** What page, dump, map and tree show: a page's cells, a character a page, a drawn tree. */
import { Turns } from '../../shared/turns.ts';
import { DAMAGED } from './check.ts';
import type {
  BtreeContext,
  BtreeFile,
  BtreeOpened,
  PageView,
  Steps,
  TreeInfo,
  TreeNode,
} from './model.ts';
import { KIND_MARKS } from './model.ts';
import { checkFile, treeNamed, withFiles } from './open.ts';
import { run } from './steps.ts';

/** Pages in order of their numbers, with what was found about each. */
export async function showPages(
  input: BtreeOpened,
  context: BtreeContext,
  only: number | undefined,
  onPage: (file: BtreeFile, view: PageView & { damage?: string }) => boolean,
): Promise<{ damaged: boolean; pages: number }> {
  const result = { damaged: false, pages: 0 };
  await withFiles(input, context, async (file) => {
    const codes = new Map<number, string[]>();
    const check = await checkFile(file, context, ({ page, code, severity }) => {
      if (severity === 'info') return;
      if (only === undefined || page === only) result.damaged = true;
      if (page === undefined) return;
      const of = codes.get(page) ?? [];
      if (!of.includes(code)) of.push(code);
      codes.set(page, of);
    });
    const turns = new Turns(context);
    const first = only ?? file.firstPage;
    const end = only === undefined ? file.firstPage + file.pageCount : only + 1;
    for (let page = first; page < end; page++) {
      const view = file.describe(page, check.kindOf(page));
      const found = codes.get(page)?.join(', ');
      result.pages++;
      if (turns.due) await turns.take();
      if (!onPage(file, found === undefined ? view : { ...view, damage: found })) return;
    }
  });
  return result;
}

export const MAP_DAMAGE = '!';

export interface PageMap {
  file: string;
  pageSize: number;
  firstPage: number;
  /** A character a page. */
  marks: string;
  damaged: number[];
}

export async function mapPages(input: BtreeOpened, context: BtreeContext): Promise<PageMap[]> {
  const maps: PageMap[] = [];
  await withFiles(input, context, async (file) => {
    const check = await checkFile(file, context, () => {});
    // A byte a page, not a string a page: there may be millions.
    const marks = Buffer.alloc(Math.max(0, check.kinds.length - file.firstPage));
    const damaged: number[] = [];
    for (let page = file.firstPage; page < check.kinds.length; page++) {
      const kind = check.kinds[page]!;
      const mark = KIND_MARKS[kind & ~DAMAGED]!;
      // A page that nobody owns is a finding in itself: its mark says so already.
      const shown = (kind & DAMAGED) !== 0 && mark !== '?' ? MAP_DAMAGE : mark;
      marks[page - file.firstPage] = shown.charCodeAt(0);
      if ((kind & DAMAGED) !== 0) damaged.push(page);
    }
    const { name, pageSize, firstPage } = file;
    maps.push({ file: name, pageSize, firstPage, marks: marks.toString('latin1'), damaged });
  });
  return maps;
}

export interface DrawnNode extends TreeNode {
  tree: string;
  depth: number;
  /** Which child of its parent it is, of how many; the root is 0 of 1. */
  index: number;
  of: number;
  /** The page stood on the way here already: not opened again. */
  again: boolean;
}

/** The nodes of a tree in the order in which they are drawn, down to `depth` levels. */
export async function drawTrees(
  input: BtreeOpened,
  context: BtreeContext,
  options: { tree?: string | undefined; depth: number },
  visit: (node: DrawnNode) => boolean,
): Promise<void> {
  await withFiles(input, context, async (file) => {
    const trees = options.tree === undefined ? file.trees : [treeNamed(file, options.tree)];
    for (const tree of trees) {
      if (tree.root < 0) continue;
      let more = true;
      const drawn = draw(file, tree, options.depth, (node) => {
        more = visit(node);
        return more;
      });
      await run(drawn, context, file);
      if (!more) return;
    }
  });
}

function* draw(
  file: BtreeFile,
  tree: TreeInfo,
  levels: number,
  visit: (node: DrawnNode) => boolean,
): Steps {
  const seen = new Set<number>();
  let more = true;
  function* below(page: number, depth: number, index: number, of: number): Steps {
    yield seen.size;
    const again = seen.has(page);
    seen.add(page);
    const node = file.node(page, tree);
    more = visit({ ...node, tree: tree.name, depth, index, of, again });
    if (again || depth + 1 >= levels) return;
    const { children } = node;
    for (let i = 0; more && i < children.length; i++) {
      yield* below(children[i]!, depth + 1, i, children.length);
    }
  }
  yield* below(tree.root, 0, 0, 1);
}
