/**
 * The plan of a store's repair, from the same scan that verify reads. Data that cannot be read is
 * dropped; hint files are derived from the data, so one that is wrong is built anew and costs
 * nothing. Where records are bound to their places, the whole store is written anew.
 */

import { DdiaError } from '../../shared/errors.ts';
import { Bookkeeper } from '../bookkeeper.ts';
import { inFileOrder } from '../findings.ts';
import type { FileEntry, LedgerSpan, RepairOptions, RepairPlan } from '../format.ts';
import type { StoreChecker } from './checker.ts';
import { hintNameOf, storeFiles } from './files.ts';
import { Consequences } from './losses.ts';
import { type LostRecords, recordLost } from './lost.ts';
import { mendedInput } from './mended-input.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';
import { scanStore } from './reader.ts';
import { checkStore } from './verify.ts';

export async function planStoreRepair(
  input: BitcaskOpened,
  options: RepairOptions,
  context: BitcaskScanContext,
): Promise<Omit<RepairPlan, 'inputs'>> {
  const { set, dialect } = input;
  const { data, hints, orphans, companions } = storeFiles(input);
  if (data.length === 0 && !set.isDirectory) throw nothingAlone(set.path);
  const books = new Bookkeeper(options);
  const consequences = new Consequences(options);
  const mends: Mendable[] = [];
  const checker = await checkStore(input, context, {
    file: (file) => books.begin(file),
    record: ({ offset, length, salvaged, seq }) =>
      books.kept(offset, length, salvaged, seq < 0 ? undefined : String(seq)),
    damage(damage) {
      const { file, offset, mend, lost } = damage;
      books.damaged(damage, damage.code !== 'torn-tail');
      consequences.damage(damage);
      if (mend && lost) mends.push({ file, offset, mends: [mend] });
    },
  });
  books.end();
  const fates = new HintFates(input, checker, books.ledger.spans);
  for (const hint of hints) {
    const gone = orphans.includes(hint);
    settle(books, hint, fates.of(hint, gone));
  }
  for (const file of companions) settle(books, file, reasonIn(checker, file));
  const ledger = books.ledger.spans;

  const mended = mendedInput(input, ledger);
  const after = mended === input ? checker : await checkStore(mended, context);
  if (mends.length > 0 && !options.mend) await readMended(input, mends, after.lost, context);
  for (const { code, severity, file, message } of checker.findings.kept) {
    if (code === 'missing-file' && severity === 'error') consequences.note(`${file}: ${message}`);
  }
  consequences.stretches(checker.fullyHinted());
  consequences.keys(after.lost, after.live, data);
  noteStaleHints(input, ledger, consequences);
  const { findings } = checker;
  const rewrite = dialect.identity ? wholeStore(input, checker, ledger, fates) : fates.built;
  // A hint that tells of a data file as it was must not lie beside the new one for a moment.
  const remove = [
    ...hints.map(({ name }) => name).filter((name) => rewrite.includes(name)),
    ...fates.gone,
    ...leftovers(input, checker),
  ];
  return {
    ddiaPlan: 1,
    path: set.path,
    family: 'bitcask',
    dialect: dialect.id,
    ledger,
    rewrite,
    ...(remove.length > 0 && { remove }),
    findings: inFileOrder(findings.kept, input.files),
    counts: findings.counts,
    consequences: consequences.told(),
  };
}

/** A lost record whose damage has one explanation. */
interface Mendable extends Pick<LedgerSpan, 'file' | 'mends'> {
  offset: number;
}

/** What such records were is certain: they are read as they would be mended. */
async function readMended(
  input: BitcaskOpened,
  mends: readonly Mendable[],
  lost: LostRecords,
  context: BitcaskScanContext,
): Promise<void> {
  const places = new Set(mends.map(({ file, offset }) => `${offset} ${file}`));
  let index = 0;
  await scanStore(mendedInput(input, mends), context, {
    file(_, number) {
      index = number;
    },
    record(record) {
      const { file, offset } = record;
      if (places.has(`${offset} ${file}`)) lost.know(recordLost(record, index, offset));
    },
    damage() {},
  });
}

interface Cause {
  code: string;
  reason: string;
}

/** What becomes of hint files: kept as they are, or built anew from the data. */
class HintFates {
  /** Names of those that are written: in place of others, or where there was none. */
  readonly built: string[] = [];
  /** Names of those that nothing takes the place of. */
  readonly gone: string[] = [];
  readonly #changed: ReadonlySet<string>;

  constructor(
    readonly input: BitcaskOpened,
    readonly checker: StoreChecker,
    ledger: readonly LedgerSpan[],
  ) {
    this.#changed = new Set(ledger.filter(({ fate }) => fate !== 'kept').map(({ file }) => file));
    if (!input.dialect.encoder) return;
    for (const file of checker.withoutHint) this.built.push(hintNameOf(input.dialect, file));
  }

  /** Why the hint file cannot stay; undefined: it can. */
  of(hint: FileEntry, gone: boolean): Cause | undefined {
    const { dialect } = this.input;
    const { name } = hint;
    if (gone) {
      this.gone.push(name);
      return { code: 'hint-orphan', reason: 'its data file is not there' };
    }
    const data = storeFiles(this.input).data.find((file) => file.hint?.name === name)!;
    const anew = dialect.encoder
      ? `built anew from ${data.name}`
      : `read from ${data.name} instead`;
    const known = this.checker.badHints.get(name);
    const changed = this.#changed.has(data.name);
    if (known === undefined && !changed) return undefined;
    (dialect.encoder ? this.built : this.gone).push(name);
    if (known !== undefined) return { code: known, reason: anew };
    return { code: 'hint-mismatch', reason: `${data.name} is not what it was: ${anew}` };
  }
}

/** A file as a whole: kept, or set aside since another takes its place. */
function settle(books: Bookkeeper, file: FileEntry, cause: Cause | undefined): void {
  books.begin(file);
  const length = file.size ?? 0;
  if (length > 0) {
    const whole = { offset: 0, length, records: 0 };
    books.ledger.add(cause ? { ...whole, ...cause, fate: 'dropped' } : { ...whole, fate: 'kept' });
  }
  books.end();
}

/** What is wrong with a file that names the others. */
function reasonIn({ findings }: StoreChecker, { name }: FileEntry): Cause | undefined {
  const found = findings.kept.find(({ file, severity }) => file === name && severity !== 'info');
  return found && { code: found.code, reason: `${found.message}; written anew` };
}

/** Files that do not count any more, and the hint files of such data files. */
function leftovers({ dialect, set }: BitcaskOpened, { findings }: StoreChecker): string[] {
  const there = new Set(set.files.map(({ name }) => name));
  const left = findings.kept.filter(
    ({ code, severity }) => code === 'leftover-file' && severity !== 'info',
  );
  const names = left.flatMap(({ file }) => {
    const number = dialect.dataFile(file);
    return number === undefined ? [file] : [file, dialect.hintName(number)];
  });
  return [...new Set(names)].filter((name) => there.has(name));
}

/** All files of the store, if any of them has to be written anew. */
function wholeStore(
  input: BitcaskOpened,
  checker: StoreChecker,
  ledger: readonly LedgerSpan[],
  fates: HintFates,
): string[] {
  const { files, set, dialect } = input;
  const touched = ledger.some(({ fate }) => fate !== 'kept') || fates.built.length > 0;
  if (!set.isDirectory || (!touched && checker.findings.verdict !== 'damaged')) return [];
  const names = new Set([...files.map(({ name }) => name), ...fates.built]);
  // The one that was written last has a hint then as well.
  for (const file of storeFiles(input).data) names.add(hintNameOf(dialect, file));
  for (const name of dialect.companions ?? []) names.add(name);
  return [...names];
}

/** A data file that is repaired alone leaves a hint file beside it that tells of what it was. */
function noteStaleHints(
  input: BitcaskOpened,
  ledger: readonly LedgerSpan[],
  consequences: Consequences,
): void {
  if (input.set.isDirectory) return;
  for (const { name, hint } of storeFiles(input).data) {
    const changed = ledger.some(({ file, fate }) => file === name && fate !== 'kept');
    if (!changed || !hint) continue;
    consequences.note(
      `${hint.name} beside it tells of ${name} as it was: ddia bitcask hint build makes it anew`,
    );
  }
}

function nothingAlone(path: string): DdiaError {
  return new DdiaError(
    'not-repairable',
    `${path} is derived from the data files: there is nothing to repair in it by itself`,
    'give the directory; or build hints anew: ddia bitcask hint build DIR',
  );
}
