import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { readRegistry, withRegistry } from '../../cli/registry-open.ts';
import { COMPATIBILITY_LEVELS } from '../../formats/avro/resolve/compatibility.ts';

export default class RegistryConfig extends DdiaCommand {
  static override summary = 'show or set the compatibility level, of all subjects or of one';
  static override examples = [
    '<%= config.bin %> registry config /tmp/ddia-registry --level FULL',
    '<%= config.bin %> registry config fixtures/avro/registry users-value --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry',
      required: true,
    }),
    subject: Args.string({ ignoreStdin: true, description: 'subject; without it, of all' }),
  };
  static override flags = {
    level: Flags.option({ options: COMPATIBILITY_LEVELS })({ description: 'level to set' }),
    unset: Flags.boolean({
      description: 'the subject no longer has a level of its own',
      exclusive: ['level'],
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryConfig);
    const { subject = null } = args;
    if (flags.level !== undefined || flags.unset) {
      await withRegistry(args.dir, (registry) => registry.setLevel(subject, flags.level ?? null));
    }
    const registry = await readRegistry(args.dir);
    const level = subject === null ? registry.state.level : registry.levelOf(subject);
    if (flags.json) this.printJson({ ...(subject !== null && { subject }), compatibility: level });
    else this.printText(level);
  }
}
