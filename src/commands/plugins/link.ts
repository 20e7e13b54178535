import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { collectFormats } from '../../cli/plugin-formats.ts';
import { linkPlugin, readPluginPackage } from '../../cli/plugin-list.ts';
import { DdiaError } from '../../shared/errors.ts';

export default class PluginsLink extends DdiaCommand {
  static override summary = 'use the plugin in a directory from now on';
  static override description =
    'The package is used where it is: a change to it counts at the next start. Its formats ' +
    'must not have the name of one that is there already.';
  static override examples = [
    '<%= config.bin %> plugins link examples/ddia-plugin-lines',
    '<%= config.bin %> plugins link examples/ddia-plugin-lines --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'the directory of its package.json',
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(PluginsLink);
    const plugin = readPluginPackage(args.dir);
    const { name, root } = plugin;
    const others = this.config.getPluginsList().filter((other) => other.name !== name);
    const formats = collectFormats([...others, plugin]).filter((format) => format.plugin === name);
    const refused = formats.find((format) => format.refused !== undefined);
    if (refused) {
      throw new DdiaError('plugin-refused', `plugin ${name} is refused: ${refused.refused}`);
    }
    linkPlugin(this.config.dataDir, { type: 'link', name, root });
    const ids = formats.map(({ family, dialect }) => `${family}/${dialect}`);
    if (flags.json) this.printJson({ linked: { name, root, formats: ids } });
    else this.printText(`linked ${name} from ${root}; formats: ${ids.join(', ') || 'none'}`);
  }
}
