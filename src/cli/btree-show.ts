/** btree dump, page, map and tree. Each returns the exit code. */
import { hasOneTree } from '../formats/btree/model.ts';
import { drawTrees, mapPages, showPages } from '../formats/btree/show.ts';
import { DdiaError, EXIT } from '../shared/errors.ts';
import { legend, mapText, nodeText, pageText } from '../ui/btree-view.ts';
import { colors } from '../ui/color.ts';
import type { Output } from '../ui/output.ts';
import type { BtreeInput } from './btree-command.ts';

interface Flags {
  json: boolean;
  color: boolean;
}

export async function showPageList(
  out: Output,
  { input, context, end }: BtreeInput,
  only: number | undefined,
  flags: Flags,
): Promise<number> {
  const chalk = await colors(flags.color);
  const { damaged } = await showPages(input, context, only, (file, view) => {
    const last = file.firstPage + file.pageCount - 1;
    if (only !== undefined && (only < file.firstPage || only > last)) {
      throw new DdiaError('no-such-page', `${file.name} has pages ${file.firstPage} to ${last}`);
    }
    out.text(flags.json ? `${JSON.stringify(view)}\n` : pageText(view, chalk));
    return true;
  });
  end();
  out.flush();
  return damaged ? EXIT.damage : EXIT.ok;
}

export async function showMap(
  out: Output,
  { input, context, end }: BtreeInput,
  flags: Flags,
): Promise<number> {
  const maps = await mapPages(input, context);
  end();
  const chalk = await colors(flags.color);
  if (flags.json) out.text(`${JSON.stringify(maps.length === 1 ? maps[0] : maps, null, 2)}\n`);
  else {
    for (const map of maps) out.text(mapText(map, chalk));
    out.text(legend(maps.map(({ marks }) => marks).join('')));
  }
  out.flush();
  return maps.some(({ damaged }) => damaged.length > 0) ? EXIT.damage : EXIT.ok;
}

export async function showTree(
  out: Output,
  { input, context, end }: BtreeInput,
  flags: Flags & { tree?: string | undefined; depth: number },
): Promise<number> {
  const { tree, depth } = flags;
  const named = !hasOneTree(input.dialect);
  await drawTrees(input, context, { tree, depth }, (node) => {
    const { children, index: _index, of: _of, again, ...rest } = node;
    out.text(
      flags.json
        ? `${JSON.stringify({ ...rest, children, ...(again && { again }) })}\n`
        : nodeText(node, named),
    );
    return true;
  });
  end();
  out.flush();
  return EXIT.ok;
}
