import { DdiaCommand } from '../../cli/base-command.ts';
import { collectFormats } from '../../cli/plugin-formats.ts';
import { linkedPlugins } from '../../cli/plugin-list.ts';
import { colors } from '../../ui/color.ts';
import { table } from '../../ui/table.ts';

export default class PluginsList extends DdiaCommand {
  static override summary = 'list the plugins that are linked, and the formats that they add';
  static override description = 'A plugin that could not be loaded has no formats here.';
  static override examples = [
    '<%= config.bin %> plugins list',
    '<%= config.bin %> plugins list --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parseFor(PluginsList);
    const loaded = this.config.getPluginsList();
    const plugins = linkedPlugins(this.config.dataDir).map(({ name, root }) => {
      // Each by itself, so that two that contradict each other are still listed.
      const formats = collectFormats(
        loaded.filter((plugin) => plugin.name === name),
        false,
      );
      return { name, root, formats: formats.map((f) => `${f.family}/${f.dialect}`) };
    });
    if (flags.json) this.printJson({ plugins });
    else if (plugins.length === 0) this.printText('no plugins are linked');
    else {
      const rows = plugins.map(({ name, root, formats }) => [name, formats.join(', '), root]);
      const chalk = await colors(flags.color);
      this.printText(await table(['PLUGIN', 'FORMATS', 'DIRECTORY'], rows, chalk));
    }
  }
}
