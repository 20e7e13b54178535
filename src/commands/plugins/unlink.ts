import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { unlinkPlugin } from '../../cli/plugin-list.ts';

export default class PluginsUnlink extends DdiaCommand {
  static override summary = 'use a linked plugin no longer';
  static override description = 'Its directory stays as it is.';
  static override examples = [
    '<%= config.bin %> plugins unlink ddia-plugin-lines',
    '<%= config.bin %> plugins unlink ddia-plugin-lines --json',
  ];
  static override args = {
    name: Args.string({
      ignoreStdin: true,
      description: "the plugin's name, as list has it",
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(PluginsUnlink);
    const { name, root } = unlinkPlugin(this.config.dataDir, args.name);
    if (flags.json) this.printJson({ unlinked: { name, root } });
    else this.printText(`unlinked ${name}; ${root} is as it was`);
  }
}
