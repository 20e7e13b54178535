/**
 * What verify and repair find, out of one pass over a store: damage, hints against data in both
 * directions, clocks that ran backwards. Memory grows with the keys, and with the records of the
 * data file with the most of them.
 */
import { findingOf } from '../damage.ts';
import { Findings } from '../findings.ts';
import type { Finding } from '../format.ts';
import { keyText } from '../key-text.ts';
import { type DataFile, type StoreFiles, storeFiles } from './files.ts';
import { checkHint, type HintReport } from './hint-check.ts';
import { HINTED, HINTED_BEFORE, LiveIndex } from './live.ts';
import { LostRecords } from './lost.ts';
import type { BitcaskDamage, BitcaskOpened, BitcaskRecord, BitcaskScanContext } from './model.ts';
import { lookAtOrphan } from './orphan.ts';
import type { StoreVisitor } from './reader.ts';
import { RecordTable } from './record-table.ts';
import { TimeChecker } from './time-check.ts';

export class StoreChecker implements StoreVisitor {
  readonly findings: Findings;
  readonly stats = { files: 0, hints: 0, bytes: 0, records: 0, keys: 0 };
  readonly live: LiveIndex;
  readonly lost = new LostRecords();
  /** By name of the hint file, for those that are to be built anew: the finding's code. */
  readonly badHints = new Map<string, string>();
  /** Data files that lack a hint where others have one. */
  readonly withoutHint: DataFile[] = [];
  readonly #files: StoreFiles;
  readonly #table = new RecordTable();
  readonly #times: TimeChecker;
  readonly #reports = new Map<number, HintReport>();
  #bytes = 0;

  constructor(
    readonly input: BitcaskOpened,
    readonly context: BitcaskScanContext,
    /** Only what concerns hint files is told. */
    readonly hintsOnly = false,
  ) {
    this.findings = new Findings(context.limits.findings);
    this.live = new LiveIndex(input.dialect);
    this.#files = storeFiles(input);
    this.#times = new TimeChecker(input.dialect, (finding) => this.#tell(finding));
    this.stats.files = this.#files.data.length;
    this.stats.hints = this.#files.hints.length;
  }

  file(file: DataFile, index: number): void {
    this.live.beginFile(index);
    this.lost.beginFile(index);
    this.#times.beginFile(file);
    this.#table.clear();
    this.#bytes = file.size ?? 0;
    this.#checked = this.input.set.isDirectory && file.hint !== undefined;
  }
  /** The file's records are needed for its hint. */
  #checked = false;

  record(record: BitcaskRecord): void {
    this.stats.records++;
    this.live.record(record);
    this.#times.record(record);
    if (this.#checked) this.#table.add(record);
    this.#bytes = Math.max(this.#bytes, record.offset + record.length);
  }

  damage(damage: BitcaskDamage): void {
    this.#tell(findingOf(damage));
    this.lost.damage(damage);
    this.#bytes = Math.max(this.#bytes, damage.offset + damage.length);
  }

  async fileEnd(file: DataFile, index: number): Promise<void> {
    this.stats.bytes += this.#bytes;
    this.#times.endFile();
    if (this.#checked) {
      const add = (finding: Finding) => this.#hintFinding(finding, file.hint!.name);
      const of = { file, index, size: this.#bytes };
      const { input, context, live, lost } = this;
      this.#reports.set(index, await checkHint(input, context, of, this.#table, live, lost, add));
    }
    this.lost.endFile();
  }

  async end(): Promise<void> {
    this.live.keys.forEach((entry) => {
      if (!this.live.isDeleted(entry)) this.stats.keys++;
    });
    this.#missingEntries();
    this.#hiddenDeletions();
    this.#missingHints();
    if (!this.input.set.isDirectory) return;
    const { input, context, live, lost } = this;
    for (const hint of this.#files.orphans) {
      this.#hintFinding(await lookAtOrphan(input, context, hint, live, lost), hint.name);
    }
  }

  /** Names of data files with an intact hint under a checksum: it tells of all that they held. */
  fullyHinted(): ReadonlySet<string> {
    const names = new Set<string>();
    if (!this.input.dialect.hints.checked) return names;
    for (const [index, { corrupt }] of this.#reports) {
      if (!corrupt) names.add(this.#files.data[index]!.name);
    }
    return names;
  }

  #tell(finding: Finding): void {
    if (!this.hintsOnly) this.findings.add(finding);
  }

  #hintFinding(finding: Finding, hint: string): void {
    this.findings.add(finding);
    if (finding.severity !== 'info') this.badHints.set(hint, finding.code);
  }

  /** Records that count and that a hint file says nothing of. */
  #missingEntries(): void {
    const { dialect } = this.input;
    const { keys } = this.live;
    const { records, deletions } = dialect.hints;
    const missing = new Map<number, { count: number; first: number }>();
    for (const [index, { corrupt, unhinted, mismatches }] of this.#reports) {
      // A wrong entry is told already, and is all there is of the one that should be there.
      const count = unhinted - mismatches;
      if (!corrupt && count > 0) missing.set(index, { count, first: -1 });
    }
    keys.forEach((entry) => {
      if ((keys.flags(entry) & HINTED) !== 0) return;
      const index = keys.file(entry);
      const report = this.#reports.get(index);
      if (!report || report.corrupt || (!deletions && this.live.isDeleted(entry))) return;
      const known = missing.get(index) ?? { count: 0, first: -1 };
      if (records === 'newest') known.count++;
      if (known.first < 0 || this.#isBefore(entry, known.first)) known.first = entry;
      missing.set(index, known);
    });
    for (const [index, { count, first }] of [...missing].sort(([a], [b]) => a - b)) {
      this.#tellMissing(index, count, first);
    }
  }

  #tellMissing(index: number, count: number, entry: number): void {
    const { keys } = this.live;
    const file = this.#files.data[index]!;
    const { trusted } = this.input.dialect.hints;
    const hint = file.hint!.name;
    const named = entry >= 0;
    const what = named ? `the record of key ${keyText(keys.key(entry))}` : 'an older record';
    const more = count > 1 ? `; it lacks ${count} in all` : '';
    const means = trusted ? ': software that reads the hint in place of the data misses it' : '';
    this.#hintFinding(
      {
        code: 'hint-missing',
        severity: trusted && named ? 'warning' : 'info',
        file: file.name,
        offset: named ? keys.position(entry) : this.#reports.get(index)!.firstUnhinted,
        length: named ? keys.length(entry) : 0,
        message: `${hint} has no entry for ${what}${means}${more}`,
        repair: `build ${hint} anew`,
      },
      hint,
    );
  }

  /**
   * Where hints have no entries for deletions: a deletion in a file with a hint, and an older value
   * that another hint tells of. Who reads hints alone brings it back.
   */
  #hiddenDeletions(): void {
    const { keys } = this.live;
    const { deletions, trusted } = this.input.dialect.hints;
    if (deletions || !trusted) return;
    let count = 0;
    let first = -1;
    keys.forEach((entry) => {
      if (!this.live.isDeleted(entry) || (keys.flags(entry) & HINTED_BEFORE) === 0) return;
      if (!this.#reports.has(keys.file(entry))) return;
      count++;
      if (first < 0 || this.#isBefore(entry, first)) first = entry;
      // Which of the hints before it has the entry is not kept: all of them are built anew.
      for (const { hint } of this.#files.data.slice(0, keys.file(entry))) {
        if (hint) this.badHints.set(hint.name, 'hint-missing');
      }
    });
    if (first < 0) return;
    const file = this.#files.data[keys.file(first)]!;
    const more = count > 1 ? `; ${count} deletions in all` : '';
    this.findings.add({
      code: 'hint-missing',
      severity: 'warning',
      file: file.name,
      offset: keys.position(first),
      length: keys.length(first),
      message:
        `${file.hint!.name} has no entry for the deletion of key ${keyText(keys.key(first))}, and a hint ` +
        `before it tells of an older value: software that reads hints brings it back${more}`,
      repair: 'build the hints before it anew, without the key',
    });
  }

  /** By the places of their records. */
  #isBefore(a: number, b: number): boolean {
    const { keys } = this.live;
    const files = keys.file(a) - keys.file(b);
    return files < 0 || (files === 0 && keys.position(a) < keys.position(b));
  }

  /** Where some data files have hints, those that are not written to any more should have one. */
  #missingHints(): void {
    const { data } = this.#files;
    const { needed } = this.input.dialect.hints;
    if (!this.input.set.isDirectory || !data.some(({ hint }) => hint)) return;
    for (const file of data.slice(0, -1)) {
      if (file.hint) continue;
      this.withoutHint.push(file);
      this.findings.add({
        code: 'hint-missing',
        severity: needed ? 'warning' : 'info',
        file: file.name,
        offset: 0,
        length: 0,
        message:
          `no hint file: to open the store, all ${file.size} bytes of it are read` +
          (needed ? `, and ${needed}` : ''),
        repair: 'build one',
      });
    }
  }
}
