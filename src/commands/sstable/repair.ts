import { RepairCommand } from '../../cli/repair-command.ts';

export default class SstableRepair extends RepairCommand {
  static override summary = 'repair tables block by block, with every byte accounted for';
  static override description =
    'A damaged block costs its own entries; index, filter, properties and footer are written anew. The interval ' +
    'of keys that is lost is named, with the tables beside this one that hold entries of it.';
  static override examples = [
    '<%= config.bin %> sstable repair fixtures/sstable/v1/bad-footer/t.sst --out /tmp/ddia-table-1',
    '<%= config.bin %> sstable repair fixtures/sstable/v1/unsorted/t.sst --dry-run',
  ];
  override readonly family = 'sstable';
}
