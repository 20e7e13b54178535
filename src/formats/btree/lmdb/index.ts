/** LMDB's data file. See FORMAT.md. */
import { type ByteSource, type Detection, NOT_THIS, type Probe } from '../../format.ts';
import type { BtreeContext, BtreeDialect, BtreeOpened } from '../model.ts';
import { readSync } from '../page-cache.ts';
import { LmdbFile } from './file.ts';
import { MAGIC, MAGIC_AT, META_BYTES, VERSION, VERSION_AT } from './layout.ts';
import { isPageSize, type Meta, readMeta } from './meta.ts';

export const lmdb: BtreeDialect = {
  id: 'lmdb',
  family: 'btree',
  title: 'LMDB data file: two meta pages, free database, sub-databases, sorted duplicates',
  source: 'https://github.com/LMDB/lmdb (mdb.c, 0.9)',
  unchecked: [
    'no checksum of any page, the meta pages included: a byte of a value that changed leaves no trace',
    'a comparison that the application defines is not known: keys are taken to be in byte order',
  ],
  uncheckedShallow: ['whether the tree of the other meta page is whole: --deep'],
  fileName: /\.(?:mdb|lmdb)$/i,
  fileNames: ['data.mdb', '*.mdb'],
  salvageOnly: true,
  detect,
  open,
};

const SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const;

function detect({ head }: Probe): Detection {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (const at of [0, ...SIZES]) {
    if (at + META_BYTES > head.length) continue;
    if (view.getUint32(at + MAGIC_AT, true) !== MAGIC) continue;
    if (view.getUint32(at + VERSION_AT, true) !== VERSION) continue;
    return { confidence: 'certain', reason: `a meta page of LMDB lies at ${at}` };
  }
  return NOT_THIS;
}

async function open(
  _input: BtreeOpened,
  source: ByteSource,
  context: BtreeContext,
): Promise<LmdbFile> {
  const first = metaAt(source, 0, 0);
  let pageSize = first.fault === '' ? first.pageSize : 0;
  let second: Meta | undefined;
  for (const size of pageSize > 0 ? [pageSize] : SIZES) {
    second = metaAt(source, size, 1);
    if (second.fault === '' && second.pageSize === size) {
      pageSize = size;
      break;
    }
  }
  // Neither can be read: a usual page size, and whatever the first one says.
  if (pageSize === 0) {
    pageSize = isPageSize(first.pageSize) ? first.pageSize : 4096;
    second = metaAt(source, pageSize, 1);
  }
  const metas = [first, second!];
  const valid = metas.filter(({ fault }) => fault === '');
  const live = valid.sort((a, b) => b.txnid - a.txnid)[0] ?? first;
  return new LmdbFile(source, pageSize, metas, live, context.limits.recordBytes);
}

function metaAt(source: ByteSource, at: number, page: 0 | 1): Meta {
  const bytes = new Uint8Array(META_BYTES);
  readSync(source, bytes, META_BYTES, at);
  return readMeta(new DataView(bytes.buffer), page);
}
