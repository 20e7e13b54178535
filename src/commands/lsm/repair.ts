import { Flags } from '@oclif/core';
import {
  contextOf,
  familyFlag,
  familyGiven,
  openGiven,
  readingFlags,
  refuseWritten,
} from '../../cli/lsm-command.ts';
import { RepairCommand } from '../../cli/repair-command.ts';
import type { Identified } from '../../formats/detect.ts';
import { SOFTWARE, type Software } from '../../formats/lsm/model.ts';
import { softwareOf } from '../../formats/lsm/open.ts';
import { openFileSet } from '../../io/file-set.ts';
import { EXIT, usageError } from '../../shared/errors.ts';

export default class LsmRepair extends RepairCommand {
  static override summary =
    'repair an LSM store with every byte accounted for, or salvage one of other software';
  static override description =
    'Of a store of ours, all entries that tables and log still give go with their numbers into a new store, --out DIR; ' +
    'what cannot be used goes to quarantine, and what the loss may bring back is told. Where the manifest is lost, ' +
    'the tables are taken by what they hold. Ends with 0 when the result verifies clean. A directory of LevelDB or ' +
    'RocksDB is never touched: what can be read of it is written as lines of JSON, to stdout or --out FILE, or with ' +
    '--to v2 as a store of ours.';
  static override examples = [
    '<%= config.bin %> lsm put /tmp/ddia-lsm-repair-1 a 1 && <%= config.bin %> lsm repair /tmp/ddia-lsm-repair-1 --out /tmp/ddia-lsm-repair-2 --force',
    '<%= config.bin %> lsm put /tmp/ddia-lsm-repair-1 b 2 && <%= config.bin %> lsm repair /tmp/ddia-lsm-repair-1 --dry-run',
    '<%= config.bin %> lsm repair fixtures/database/rocksdb --column-family users --out /tmp/ddia-lsm-repair-3.ndjson --force',
    '<%= config.bin %> lsm repair fixtures/database/leveldb --to v2 --out /tmp/ddia-lsm-repair-4 --force',
  ];
  static override flags = {
    ...RepairCommand.flags,
    dialect: Flags.string({
      options: [...SOFTWARE],
      description: 'take the directory for one of this software',
    }),
    'max-log-bytes': readingFlags['max-log-bytes'],
    'column-family': familyFlag,
    to: Flags.string({
      options: ['ndjson', 'v2'],
      description:
        'of a directory of other software: what its content is written as [default: ndjson]',
    }),
  };
  override readonly family = 'lsm';

  /** A store is one by its tables or its log too, where the manifest is lost. */
  protected override async open(path: string): Promise<Identified> {
    const { lsm, v2 } = await import('../../formats/lsm/index.ts');
    const set = openFileSet(path);
    if (set.isDirectory) refuseWritten(path);
    const detection = { confidence: 'certain', reason: 'looked at as a whole' } as const;
    return { set, family: lsm, dialect: v2, files: lsm.select(set, v2), detection };
  }

  override async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmRepair);
    const { path } = args;
    if (path === undefined) return super.run();
    const named = flags.dialect as Software | undefined;
    const software = named ?? (await softwareOf(openFileSet(path)));
    if (software === 'v2') {
      if (flags['column-family'] !== undefined) {
        throw usageError('usage', `--column-family: ${path} is a store of ours, which has none`);
      }
      return super.run();
    }
    const edits = ['in-place', 'plan', 'apply', 'dry-run', 'mend'] as const;
    const edit = edits.find((name) => flags[name] !== undefined && flags[name] !== false);
    if (edit !== undefined) {
      const hint =
        'its content goes to another place: --to ndjson --out FILE, or --to v2 --out DIR';
      throw usageError('usage', `--${edit}: a ${software} directory is never edited`, hint);
    }
    const given = { ...flags, dialect: software };
    const context = contextOf(this, given);
    const database = await openGiven(path, given, context);
    const { salvageLines, salvageStore, salvagedText } = await import('../../cli/lsm-salvage.ts');
    const { out, force, quarantine, 'max-findings': findings } = flags;
    if (flags.to !== 'v2') {
      const family = flags['column-family'];
      process.exitCode = await salvageLines(
        this,
        database,
        { family, out, force, findings },
        context,
      );
      return;
    }
    if (out === undefined) throw usageError('usage', '--to v2: where to? --out DIR');
    const family = familyGiven(database, given);
    const target = { out, quarantine, force, findings };
    const answer = await salvageStore(this, database, family, target, context);
    const damaged = !answer.clean || Object.keys(answer.counts).length > 0;
    process.exitCode = damaged ? EXIT.damage : EXIT.ok;
    if (flags.json) this.printJson(answer);
    else this.printText(salvagedText(answer));
  }
}
