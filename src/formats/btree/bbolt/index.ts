/** bbolt's database file, of etcd and others. See FORMAT.md. */
import { type ByteSource, type Detection, NOT_THIS, type Probe } from '../../format.ts';
import type { BtreeContext, BtreeDialect, BtreeOpened } from '../model.ts';
import { readSync } from '../page-cache.ts';
import { BboltFile } from './file.ts';
import { MAGIC, MAGIC_AT, META_BYTES, VERSION, VERSION_AT } from './layout.ts';
import { isMetaSize, likelySizes, type Meta, readMeta } from './meta.ts';

export const bbolt: BtreeDialect = {
  id: 'bbolt',
  family: 'btree',
  title: 'bbolt database: buckets in buckets, two meta pages, a free list',
  source: 'https://github.com/etcd-io/bbolt (page.go, db.go, bucket.go)',
  unchecked: [
    'pages have no checksum but the meta pages: a byte of a value that changed leaves no trace',
    'without a free list every page that no bucket reaches counts as free',
  ],
  uncheckedShallow: ['whether the tree of the other meta page is whole: --deep'],
  fileName: /\.(?:db|bolt|bbolt)$/i,
  fileNames: ['*.db', '*.bolt'],
  salvageOnly: true,
  detect,
  open,
};

function detect({ head }: Probe): Detection {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const at = (start: number) =>
    start + META_BYTES <= head.length &&
    view.getUint32(start + MAGIC_AT, true) === MAGIC &&
    view.getUint32(start + VERSION_AT, true) === VERSION;
  if (at(0)) return { confidence: 'certain', reason: 'meta page 0 has the magic of bbolt' };
  for (const size of likelySizes()) {
    if (at(size)) {
      return { confidence: 'certain', reason: `a meta page of bbolt lies at ${size}` };
    }
  }
  return NOT_THIS;
}

async function open(
  _input: BtreeOpened,
  source: ByteSource,
  context: BtreeContext,
): Promise<BboltFile> {
  const first = metaAt(source, 0, 0);
  let pageSize = first.fault === '' && isMetaSize(first.pageSize) ? first.pageSize : 0;
  let second: Meta | undefined;
  for (const size of pageSize > 0 ? [pageSize] : likelySizes()) {
    second = metaAt(source, size, 1);
    if (second.fault === '' && second.pageSize === size) {
      pageSize = size;
      break;
    }
  }
  // Neither can be read: a usual page size, and whatever the first one says.
  if (pageSize === 0) {
    pageSize = 4096;
    second = metaAt(source, pageSize, 1);
  }
  const metas = [first, second!];
  const valid = metas.filter(({ fault }) => fault === '');
  const live = valid.sort((a, b) => b.txid - a.txid)[0] ?? first;
  return new BboltFile(source, pageSize, metas, live, context.limits.recordBytes);
}

function metaAt(source: ByteSource, at: number, page: 0 | 1): Meta {
  const bytes = new Uint8Array(META_BYTES);
  readSync(source, bytes, META_BYTES, at);
  return readMeta(new DataView(bytes.buffer), 0, page);
}
