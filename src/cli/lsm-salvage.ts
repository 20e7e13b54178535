/**
 * lsm repair of a directory that is not edited: what can be read of it, as lines of JSON on stdout
 * or in a new file, or as a new store of ours.
 */
import { resolve } from 'node:path';
import { Findings } from '../formats/findings.ts';
import type { Finding, ScanContext } from '../formats/format.ts';
import type { ColumnFamily, Database } from '../formats/lsm/model.ts';
import { familyByName, openDatabase } from '../formats/lsm/open.ts';
import { printLive } from '../formats/lsm/print.ts';
import { type Rewritten, rewriteStore } from '../formats/lsm/rewrite.ts';
import { type SalvagedFamily, salvageDatabase } from '../formats/lsm/salvage.ts';
import { verifyDatabase } from '../formats/lsm/verify.ts';
import type { EntryBlock } from '../formats/sstable/entry-block.ts';
import { openFileSet } from '../io/file-set.ts';
import { type BufferedFile, NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { refuseOverlap, refuseSource } from '../io/same-place.ts';
import { EXIT } from '../shared/errors.ts';
import { count } from '../ui/count.ts';
import { DamageReport } from '../ui/damage-report.ts';
import { JsonSink } from '../ui/json-sink.ts';
import { Output } from '../ui/output.ts';
import type { DdiaCommand } from './base-command.ts';
import { openWriter, WriterOutput } from './salvage.ts';

const FORMATS = { key: 'auto', value: 'auto', redact: false } as const;

export interface LinesGiven {
  family: string | undefined;
  out: string | undefined;
  force: boolean;
  findings: number;
}

class Teller {
  readonly findings = new Findings(0);
  readonly #report: DamageReport;

  constructor(command: DdiaCommand, most: number) {
    this.#report = new DamageReport(command.out, most);
  }

  readonly tell = (finding: Finding): void => {
    this.findings.add(finding);
    this.#report.tell(finding);
  };
}

/** Returns the exit code. */
export async function salvageLines(
  command: DdiaCommand,
  database: Database,
  given: LinesGiven,
  context: ScanContext,
): Promise<number> {
  const { findings, tell } = new Teller(command, given.findings);
  const only = given.family === undefined ? undefined : familyByName(database, given.family);
  const run = async (output: Output): Promise<SalvagedFamily[]> => {
    const sink = new JsonSink(output, FORMATS);
    const families = await salvageDatabase(database, only, context, sink, tell);
    output.flush();
    return families;
  };
  let families: SalvagedFamily[];
  if (given.out === undefined) families = await run(command.out);
  else {
    refuseSource(given.out, database.set.path);
    const writer = openWriter(given.out, given.force);
    try {
      families = await run(new WriterOutput(writer));
      writer.finish();
    } finally {
      writer.abort();
    }
  }
  for (const { name, keys, operands, blobs } of families) {
    const more = [
      ...(operands > 0 ? [`${operands} merge operands left as they are`] : []),
      ...(blobs > 0 ? [`${blobs} values in blob files`] : []),
    ];
    process.stderr.write(`${[`${name}: ${count(keys, 'key')}`, ...more].join(', ')}\n`);
  }
  return findings.verdict === 'damaged' ? EXIT.damage : EXIT.ok;
}

export interface StoreGiven {
  out: string;
  quarantine: string | undefined;
  force: boolean;
  findings: number;
}

export interface SalvagedStore extends Rewritten {
  path: string;
  dialect: string;
  columnFamily: string;
  out: string;
  quarantine?: string;
  /** Column families that were not asked for. */
  others: string[];
  /** Findings by code. */
  counts: Record<string, number>;
  /** Whether the new store verifies clean. */
  clean: boolean;
}

export async function salvageStore(
  command: DdiaCommand,
  database: Database,
  family: ColumnFamily,
  given: StoreGiven,
  context: ScanContext,
): Promise<SalvagedStore> {
  const { findings, tell } = new Teller(command, given.findings);
  for (const finding of database.findings) tell(finding);
  const disk = new RealDisk();
  const [out, aside] = [resolve(given.out), resolve(given.quarantine ?? `${given.out}.quarantine`)];
  for (const place of [out, aside]) refuseSource(place, database.set.path);
  refuseOverlap(aside, out);
  const directory = new NewDirectory(disk, out, given.force);
  let quarantine: Quarantine | undefined;
  try {
    const rewritten = await rewriteStore(database, family, context, directory, {
      tell,
      leftOut(block, index) {
        quarantine ??= new Quarantine(disk, aside, given.force);
        quarantine.add(block, index, family.name);
      },
    });
    // What is left out is safe on disk before the store is there that lacks it.
    quarantine?.place();
    directory.place();
    quarantine?.finish();
    directory.finish();
    const result = await openDatabase(openFileSet(out), 'v2', context);
    const { name } = family;
    const others = [...database.version.families.values()].filter((one) => one !== family);
    return {
      path: database.set.path,
      dialect: database.software,
      columnFamily: name,
      out,
      ...(quarantine && { quarantine: aside }),
      others: others.map((one) => one.name),
      ...rewritten,
      counts: findings.counts,
      clean: (await verifyDatabase(result, context)).clean,
    };
  } finally {
    directory.abandon();
    quarantine?.abandon();
  }
}

/** Entries that the store cannot have, as lines of JSON in a directory beside it. */
class Quarantine {
  readonly #directory: NewDirectory;
  readonly #file: BufferedFile;
  readonly #output: FileOutput;
  readonly #sink: JsonSink;

  constructor(disk: RealDisk, at: string, force: boolean) {
    this.#directory = new NewDirectory(disk, at, force);
    this.#file = this.#directory.create('entries.ndjson');
    this.#output = new FileOutput(this.#file);
    this.#sink = new JsonSink(this.#output, FORMATS);
  }

  add(block: EntryBlock, index: number, family: string): void {
    printLive(this.#sink, block, index, family, true);
  }

  place(): void {
    this.#output.flush();
    this.#file.finish();
    this.#directory.place();
  }

  finish(): void {
    this.#directory.finish();
  }

  abandon(): void {
    this.#directory.abandon();
  }
}

class FileOutput extends Output {
  constructor(readonly file: BufferedFile) {
    super(-1);
  }

  override put(bytes: Uint8Array, end: number): void {
    this.file.write(bytes, 0, end);
  }
}

export function salvagedText(answer: SalvagedStore): string {
  const { path, dialect, columnFamily, out, tables, entries, rangeDeletions, leftOut } = answer;
  const whose = dialect === 'rocksdb' ? `, column family ${columnFamily}` : '';
  const lines = [
    `${path} → ${out} (lsm ${dialect}${whose})`,
    `  ${entries} entries, ${count(rangeDeletions, 'range deletion')} in ${count(tables, 'table')}`,
  ];
  if (leftOut > 0) {
    lines.push(
      `  ${leftOut} entries are left out, merge operands and the like, which a store of ours has no ` +
        `type for: of their keys older values show; they are in ${answer.quarantine}/entries.ndjson`,
    );
  }
  const found = Object.entries(answer.counts).map(([code, many]) => `${many} ${code}`);
  if (found.length > 0) lines.push(`  the directory is damaged: ${found.join(', ')}`);
  lines.push('next');
  for (const other of answer.others) {
    lines.push(`  take column family ${other} out too: --column-family ${other} --out NEW`);
  }
  lines.push(`  look at it: ddia lsm scan ${out}`);
  return lines.join('\n');
}
