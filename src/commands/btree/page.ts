import { Args } from '@oclif/core';
import { BtreeCommand, btreeFlags, pathArg } from '../../cli/btree-command.ts';
import { showPageList } from '../../cli/btree-show.ts';
import { usageError } from '../../shared/errors.ts';

export default class BtreePage extends BtreeCommand {
  static override summary = 'print one page of a B+tree: header fields and cells';
  static override examples = [
    '<%= config.bin %> btree page fixtures/btree/v1/clean 2',
    '<%= config.bin %> btree page fixtures/btree/v1/page-type 4 --json',
  ];
  static override args = {
    path: pathArg,
    page: Args.custom<number>({ parse: pageNumber })({
      description: 'number of the page',
      required: true,
    }),
  };
  static override flags = { ...btreeFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreePage);
    const opened = await this.open(args.path, flags);
    process.exitCode = await showPageList(this.out, opened, args.page, flags);
  }
}

async function pageNumber(text: string): Promise<number> {
  const page = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(page)) return page;
  const hint = 'ddia btree page PATH PAGE; ddia btree map PATH shows them all';
  throw usageError('usage', `no number of a page: ${JSON.stringify(text)}`, hint);
}
