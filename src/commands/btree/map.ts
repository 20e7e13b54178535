import { BtreeCommand, btreeFlags, pathArg } from '../../cli/btree-command.ts';
import { showMap } from '../../cli/btree-show.ts';

export default class BtreeMap extends BtreeCommand {
  static override summary = 'one character a page: what it is, and whether it is damaged';
  static override examples = [
    '<%= config.bin %> btree map fixtures/btree/v1/clean',
    '<%= config.bin %> btree map fixtures/btree/v1/page-type --json',
  ];
  static override args = { path: pathArg };
  static override flags = { ...btreeFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeMap);
    const opened = await this.open(args.path, flags);
    process.exitCode = await showMap(this.out, opened, flags);
  }
}
