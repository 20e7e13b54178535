import { DdiaCommand } from '../../cli/base-command.ts';
import { storeArg, withLsm } from '../../cli/lsm-store.ts';
import { count } from '../../ui/count.ts';

export default class LsmFlush extends DdiaCommand {
  static override summary = 'write what an LSM store has in its log to a table';
  static override description = 'The log is let go when the table is durable and in the manifest.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-flush-1 a 1 && <%= config.bin %> lsm flush /tmp/ddia-lsm-flush-1`,
    `<%= config.bin %> lsm put /tmp/ddia-lsm-flush-1 b 1 && <%= config.bin %> lsm flush /tmp/ddia-lsm-flush-1 --json`,
  ];
  static override args = { dir: storeArg };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmFlush);
    const { dir } = args;
    const result = await withLsm(dir, { create: false, autoCompact: false }, async (store) => {
      await store.flush();
      const { flushes, flushBytes, tables, flushedSeq } = store.stat();
      return { dir, flushes, bytes: flushBytes, tables, flushedSeq };
    });
    if (flags.json) this.printJson(result);
    else this.printText(`${dir}: ${result.bytes} bytes written, ${count(result.tables, 'table')}`);
  }
}
