import { DumpCommand } from '../../../cli/dump-command.ts';
import type { Identified } from '../../../formats/detect.ts';
import type {
  DumpOptions,
  DumpResult,
  Finding,
  RecordSink,
  ScanContext,
} from '../../../formats/format.ts';

export default class BitcaskHintDump extends DumpCommand {
  static override summary = 'print the entries of hint files';
  static override examples = [
    '<%= config.bin %> bitcask hint dump fixtures/bitcask/hash-v1/merged-with-hint/000003.hint --limit 5',
    '<%= config.bin %> bitcask hint dump fixtures/bitcask/riak/plain --prefix key019 --json',
  ];
  override readonly family = 'bitcask';

  protected override async dump(
    input: Identified,
    ...how: [DumpOptions, ScanContext, RecordSink, (finding: Finding) => void]
  ): Promise<DumpResult> {
    const { dumpHintsOf } = await import('../../../cli/bitcask-hint.ts');
    return dumpHintsOf(input, ...how);
  }
}
