import { dirname, join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../cli/base-command.ts';
import { parseBytes } from '../cli/bytes-argument.ts';
import { bytesFlags, bytesFormatsOf } from '../cli/dump-command.ts';
import { findKey, groupsOf, rangeOf, type Searched } from '../cli/find-key.ts';
import { DdiaError, EXIT, usageError } from '../shared/errors.ts';
import { DamageReport } from '../ui/damage-report.ts';
import { MatchPrinter } from '../ui/match-printer.ts';
import { printable } from '../ui/text-sink.ts';

export default class Find extends DdiaCommand {
  static override summary = 'tell every place in every file where a key occurs, oldest to newest';
  static override description =
    'Reads all files of each PATH that are of a known dialect: logs, tables, stores. Ends ' +
    'with 1 when the key is nowhere, or when there is damage, behind which it may be.';
  static override examples = [
    '<%= config.bin %> find user:005 fixtures/wal/v1/clean',
    '<%= config.bin %> find user:00 fixtures/wal/v1/clean fixtures/wal/v1/spliced --prefix --json',
    '<%= config.bin %> find hex:757365723a303035 fixtures/wal/v1/clean --value-format size',
  ];
  static override strict = false;
  static override args = {
    key: Args.string({ ignoreStdin: true, description: 'text, hex:… or base64:…', required: true }),
    path: Args.string({
      ignoreStdin: true,
      description: 'files, directories, or -',
      required: true,
    }),
  };
  static override flags = {
    prefix: Flags.boolean({ description: 'every key that begins so' }),
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    ...bytesFlags,
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(Find);
    const [text, ...paths] = argv as string[];
    const key = parseBytes(text!);
    if (paths.length === 0) throw usageError('usage', 'no PATH is given');
    const groups = await this.#open(paths, flags.dialect);
    const printer = new MatchPrinter(this.out, bytesFormatsOf(flags), flags.json, flags.prefix);
    const damage = new DamageReport(this.out, flags['max-findings']);
    const result = await findKey(
      groups,
      rangeOf(key, flags.prefix),
      {
        ...this.reading(limitsOf(flags)),
      },
      ({ path, group, record }) => {
        const { set, family, dialect } = group;
        printer.print({
          path,
          isDirectory: set.isDirectory,
          family: family.id,
          dialect: dialect.id,
          record,
        });
      },
      ({ path, group }, finding) => damage.tell(finding, placeOf(path, group.set.isDirectory)),
    );
    this.progress.end();
    this.out.flush();
    if (result.unordered)
      process.stderr.write('warning: too many to sort: in order of the files\n');
    if (result.matches === 0 && !flags.json)
      process.stderr.write(`not found: ${printable(text!)}\n`);
    if (process.exitCode === undefined && (result.matches === 0 || result.verdict === 'damaged')) {
      process.exitCode = EXIT.damage;
    }
  }

  /** Of several PATHs, one that cannot be read does not keep the others from being searched. */
  async #open(paths: readonly string[], dialect: string | undefined): Promise<Searched[]> {
    const groups: Searched[] = [];
    for (const path of paths) {
      try {
        for (const group of await groupsOf(this, path, dialect)) groups.push({ path, group });
      } catch (error) {
        if (paths.length === 1 || !(error instanceof DdiaError)) throw error;
        process.stderr.write(`error: ${error.message}\n`);
        process.exitCode = error.exit;
      }
    }
    return groups;
  }
}

/** What stands before the name of a file of this PATH, so that both make a path. */
function placeOf(path: string, isDirectory: boolean): string {
  return printable(join(isDirectory ? path : dirname(path), '/'));
}
