import { basename } from 'node:path';
import { Args } from '@oclif/core';
import { DdiaCommand } from '../cli/base-command.ts';
import { usageError } from '../shared/errors.ts';
import { bashScript } from '../ui/completion/bash.ts';
import { fishScript } from '../ui/completion/fish.ts';
import { type CommandShape, completionModel } from '../ui/completion/model.ts';
import { zshScript } from '../ui/completion/zsh.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
type Shell = keyof typeof SCRIPTS;

export default class Completion extends DdiaCommand {
  static override summary = 'print a completion script for a shell';
  static override description =
    'The script knows the commands and flags of this version and of the plugins that are ' +
    'linked; its first lines say how to load it. Without an argument it is for the shell that ' +
    '$SHELL names.';
  static override examples = [
    '<%= config.bin %> completion bash',
    '<%= config.bin %> completion zsh',
    '<%= config.bin %> completion fish',
  ];
  static override args = {
    shell: Args.string({
      ignoreStdin: true,
      description: 'the shell',
      options: Object.keys(SCRIPTS),
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(Completion);
    const shell = args.shell ?? basename(process.env['SHELL'] ?? '');
    if (!(shell in SCRIPTS)) {
      const names = Object.keys(SCRIPTS).join(', ');
      throw usageError('usage', `$SHELL names no shell of ${names}`, `name one: ${names}`);
    }
    const { bin, commands, topics } = this.config;
    const model = completionModel(bin, commands as readonly CommandShape[], topics);
    const script = SCRIPTS[shell as Shell](model);
    if (flags.json) this.printJson({ shell, script });
    else this.printText(script);
  }
}
