import { DdiaCommand } from '../../cli/base-command.ts';
import { storeArg, strategyFlag, withLsm } from '../../cli/lsm-store.ts';
import { count } from '../../ui/count.ts';

export default class LsmCompact extends DdiaCommand {
  static override summary = 'merge all tables of an LSM store';
  static override description =
    'What was replaced or deleted is gone then. Says how many bytes were read and written.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-compact-1 a 1 && <%= config.bin %> lsm compact /tmp/ddia-lsm-compact-1`,
    `<%= config.bin %> lsm put /tmp/ddia-lsm-compact-1 a 2 && <%= config.bin %> lsm compact /tmp/ddia-lsm-compact-1 --json`,
  ];
  static override args = { dir: storeArg };
  static override flags = { ...strategyFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmCompact);
    const { dir } = args;
    const { strategy } = flags;
    const options = { create: false, autoCompact: false, strategy };
    const report = await withLsm(dir, options, (store) => {
      this.signal.addEventListener('abort', () => void store.close().catch(() => {}), {
        once: true,
      });
      return store.compact();
    });
    if (flags.json) this.printJson(report ?? { dir, inputs: [] });
    else if (!report) this.printText(`${dir}: there is no table`);
    else {
      const { inputs, outputs, kept, replaced, deletionsDropped, bytesRead, bytesWritten } = report;
      this.printText(
        `${dir}: ${count(inputs.length, 'table')} into ${outputs.length} on level ${report.outputLevel}: ` +
          `${kept} entries kept, ${replaced} replaced, ${deletionsDropped} deletions dropped, ` +
          `${bytesRead} bytes read, ${bytesWritten} written`,
      );
    }
  }
}
