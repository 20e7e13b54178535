/**
 * SQLite's database file, with its write-ahead log or hot journal if there is one. See FORMAT.md.
 */
import { type ByteSource, type Detection, NOT_THIS, type Probe } from '../../format.ts';
import { finding } from '../check.ts';
import type { BtreeContext, BtreeDialect, BtreeOpened } from '../model.ts';
import { readSync } from '../page-cache.ts';
import { SqliteFile } from './file.ts';
import { isMagic, isPageSize, pageSizeOf } from './header.ts';
import { JournalPages } from './journal.ts';
import { HEADER_BYTES, isBtreePage } from './layout.ts';
import { WalPages } from './wal.ts';

export const sqlite: BtreeDialect = {
  id: 'sqlite',
  family: 'btree',
  title: 'SQLite database: tables, indexes, overflow, free list, pointer map, write-ahead log',
  source: 'https://www.sqlite.org/fileformat2.html',
  unchecked: [
    'no page checksum: a byte of a value that changed leaves no trace',
    'the order of an index whose collation the application defines is not known',
  ],
  uncheckedShallow: [
    'index content against table content: --deep',
    'types of values against affinities, CHECK constraints, the grammar of the schema: --deep',
  ],
  fileName: /\.(?:db|db3|sqlite|sqlite3)$/i,
  fileNames: ['*.db', '*.sqlite', '*.sqlite3'],
  salvageOnly: true,
  detect,
  open,
};

function detect({ head }: Probe): Detection {
  if (isMagic(head)) return { confidence: 'certain', reason: 'begins with "SQLite format 3"' };
  if (head.length < HEADER_BYTES + 8) return NOT_THIS;
  // A hit in the magic: what follows is still that of a database.
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const fractions = head[21] === 64 && head[22] === 32 && head[23] === 32;
  if (fractions && isPageSize(pageSizeOf(view)) && isBtreePage(head[HEADER_BYTES]!)) {
    return {
      confidence: 'likely',
      reason: 'the fields behind a damaged magic are those of SQLite',
    };
  }
  return NOT_THIS;
}

async function open(
  _input: BtreeOpened,
  source: ByteSource,
  context: BtreeContext,
): Promise<SqliteFile> {
  const head = new Uint8Array(HEADER_BYTES);
  readSync(source, head, HEADER_BYTES, 0);
  const alone = context.options?.['alone'] === true;
  const log = alone ? undefined : logBeside(source, context);
  const journal = alone || log ? undefined : journalBeside(source, context);
  const stated = pageSizeOf(new DataView(head.buffer));
  const pageSize =
    (log ?? journal)?.pageSize ?? (isPageSize(stated) ? stated : guessPageSize(source));
  const { recordBytes } = context.limits;
  const file = new SqliteFile(source, pageSize, recordBytes, log ?? journal);
  if (log) {
    const commits = `${log.frames} frames, ${log.pages} pages, up to the last commit`;
    const more = log.uncommitted > 0 ? `; ${log.uncommitted} frames behind it never committed` : '';
    const what = `${log.source.name} is applied in memory: ${commits}${more}`;
    file.notes.push(finding(file, 'log-applied', what, { severity: 'info' }));
  }
  if (journal) {
    const { pages, pageCount, superJournal } = journal;
    const whose = superJournal === undefined ? '' : `, part of the transaction of ${superJournal}`;
    const what = `${journal.source.name} is rolled back in memory: ${pages} pages as they were before a transaction that was cut off, of a database of ${pageCount}${whose}`;
    file.notes.push(finding(file, 'journal-applied', what, { severity: 'info' }));
  }
  return file;
}

/** Only a hot one: the transaction did not end. */
function journalBeside(source: ByteSource, context: BtreeContext): JournalPages | undefined {
  const { siblings } = context.set;
  const name = `${source.name}-journal`;
  const beside = siblings.find((file) => file.name === name);
  if (!beside || beside.size === 0) return undefined;
  const journal = new JournalPages(context.set.open(name));
  // A transaction over several databases ends when their super-journal is removed.
  const ended = (path: string): boolean => {
    const whole = path.split(/[\\/]/).at(-1);
    return !siblings.some((file) => file.name === whole);
  };
  if (journal.load() && !(journal.superJournal && ended(journal.superJournal))) return journal;
  journal.source.close?.();
  return undefined;
}

function logBeside(source: ByteSource, context: BtreeContext): WalPages | undefined {
  const name = `${source.name}-wal`;
  const beside = context.set.siblings.find((file) => file.name === name);
  if (!beside || beside.size === 0) return undefined;
  const log = new WalPages(context.set.open(name));
  if (log.load()) return log;
  log.source.close?.();
  return undefined;
}

/** Under which size most pages begin as pages of a tree do. */
function guessPageSize(source: ByteSource): number {
  const size = source.size ?? 0;
  const byte = new Uint8Array(1);
  let best = { pageSize: 4096, share: 0 };
  for (let pageSize = 512; pageSize <= 65_536; pageSize *= 2) {
    let good = 0;
    let all = 0;
    for (let at = pageSize; at < size && all < 200; at += pageSize, all++) {
      if (readSync(source, byte, 1, at) === 1 && isBtreePage(byte[0]!)) good++;
    }
    const share = all === 0 ? 0 : good / all;
    if (share > best.share) best = { pageSize, share };
  }
  return best.pageSize;
}
