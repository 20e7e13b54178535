import { DdiaCommand } from '../../cli/base-command.ts';
import { contextOf, openGiven, readingFlags } from '../../cli/lsm-command.ts';
import { storeArg } from '../../cli/lsm-store.ts';
import { statDatabase } from '../../formats/lsm/stat.ts';
import { count } from '../../ui/count.ts';

export default class LsmLevels extends DdiaCommand {
  static override summary = 'the levels of an LSM store: tables, bytes, entries, deletions of each';
  static override description =
    'Of a store of ours, of LevelDB or of RocksDB, whose manifests do not count entries. Levels without a table are left out.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-levels-1 a 1 && <%= config.bin %> lsm levels /tmp/ddia-lsm-levels-1`,
    `<%= config.bin %> lsm compact /tmp/ddia-lsm-levels-1 && <%= config.bin %> lsm levels /tmp/ddia-lsm-levels-1 --json`,
    '<%= config.bin %> lsm levels fixtures/database/rocksdb',
  ];
  static override args = { dir: storeArg };
  static override flags = readingFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmLevels);
    const context = contextOf(this, flags);
    const stat = await statDatabase(await openGiven(args.dir, flags, context), context);
    const levels = stat['levels'] as LevelRow[];
    if (flags.json) this.printJson({ levels });
    else if (levels.length === 0) this.printText('no tables');
    for (const row of flags.json ? [] : levels) {
      const { columnFamily, level, tables, bytes, entries, deletions } = row;
      const parts = [
        ...(columnFamily === undefined ? [] : [columnFamily]),
        `level ${level}`,
        count(tables, 'table'),
        `${bytes} bytes`,
        ...(entries === undefined ? [] : [`${entries} entries`]),
        ...(deletions === undefined ? [] : [count(deletions, 'deletion')]),
      ];
      this.printText(parts.join('  '));
    }
  }
}

interface LevelRow {
  columnFamily?: string;
  level: number;
  tables: number;
  bytes: number;
  entries?: number;
  deletions?: number;
}
