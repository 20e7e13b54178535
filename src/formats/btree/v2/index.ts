/** Our own B+tree file: copy-on-write pages, two meta pages, checksums that know their place. */
import { type ByteSource, type Detection, NOT_THIS, type Probe } from '../../format.ts';
import type { BtreeDialect, BtreeOpened } from '../model.ts';
import { V2File } from './file.ts';
import { FILE_NAME, MAGIC, PAGE_BYTES_DEFAULT } from './layout.ts';
import { storeOfPages } from './lost-metas.ts';
import { liveOf, type ReadMeta } from './meta.ts';
import { pageSizes, readSteadyMetas } from './read-metas.ts';

export const v2: BtreeDialect = {
  id: 'v2',
  family: 'btree',
  title: 'our own B+tree: copy on write, two meta pages, every page with a checksum',
  source: 'docs/formats/btree-v2.md',
  unchecked: [
    'a file that was put back as a whole, or the last meta page to be written: both are an older state',
  ],
  uncheckedShallow: ['whether the tree of the other meta page is whole: --deep'],
  fileName: /\.bt2$/,
  fileNames: [FILE_NAME],
  salvageOnly: false,
  lockFile: 'LOCK',
  detect,
  open,
};

function detect({ head, name }: Probe): Detection {
  const magic = Buffer.from(MAGIC, 'latin1');
  const at = (start: number) => magic.equals(head.subarray(start, start + magic.length));
  if (at(0)) return { confidence: 'certain', reason: `meta page 0 begins with ${MAGIC}` };
  for (const size of pageSizes()) {
    if (!at(size)) continue;
    return { confidence: 'certain', reason: `a meta page begins with ${MAGIC} at ${size}` };
  }
  return name === FILE_NAME
    ? { confidence: 'likely', reason: `named like a B+tree of ours (${FILE_NAME})` }
    : NOT_THIS;
}

async function open(input: BtreeOpened, given: ByteSource): Promise<V2File> {
  let source = given;
  for (;;) {
    const metas = readSteadyMetas(source);
    const live = liveOf(metas) ?? likeliest(source, metas);
    const { size = 0 } = source;
    const longer = size < live.pages * live.pageSize ? input.set.open(source.name) : undefined;
    if (longer === undefined || (longer.size ?? 0) <= size) {
      longer?.close?.();
      return new V2File(source, metas, live);
    }
    // It has grown since it was opened.
    source.close?.();
    source = longer;
  }
}

/** Neither can be used: page size and store are those that the pages tell. */
function likeliest(source: ByteSource, metas: readonly ReadMeta[]): ReadMeta {
  return { ...metas[0]!, pageSize: PAGE_BYTES_DEFAULT, ...storeOfPages(source) };
}
