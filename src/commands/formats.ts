import { Args } from '@oclif/core';
import { DdiaCommand } from '../cli/base-command.ts';
import { formatPage, formatRows, isFamily } from '../cli/format-list.ts';
import { formatPageText, formatTable } from '../ui/format-table.ts';

export default class Formats extends DdiaCommand {
  static override summary = 'list the formats that are known, or print the page of one';
  static override description =
    'Without an argument, or with a family, a table of dialects: built-in ones and those of ' +
    'plugins. With a dialect, the page that describes its layout to the byte.';
  static override examples = [
    '<%= config.bin %> formats',
    '<%= config.bin %> formats wal --json',
    '<%= config.bin %> formats wal/v1',
  ];
  static override args = {
    format: Args.string({
      ignoreStdin: true,
      description: 'FAMILY, FAMILY/DIALECT, or DIALECT if there is only one',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(Formats);
    const { format } = args;
    if (format === undefined || isFamily(format)) {
      const formats = await formatRows(this.config, format);
      if (flags.json) this.printJson({ formats });
      else this.printText(await formatTable(formats, flags.color));
      return;
    }
    const page = await formatPage(this.config, format);
    if (flags.json) this.printJson(page);
    else this.printText(formatPageText(page));
  }
}
