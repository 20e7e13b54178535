import { Args, Flags } from '@oclif/core';
import { problemText } from '../../cli/avro-resolve.ts';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand } from '../../cli/base-command.ts';
import {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  incompatibilities,
} from '../../formats/avro/resolve/compatibility.ts';
import { EXIT, usageError } from '../../shared/errors.ts';

export default class AvroCheck extends DdiaCommand {
  static override summary = 'check that a schema is compatible with older ones';
  static override description =
    'Older schemas first, the new one last. BACKWARD: the new one reads what the old one wrote; FORWARD: the ' +
    'other way round; FULL: both. The last of the older ones counts, with _TRANSITIVE all do. Every ' +
    'incompatibility is told with its path, the rule, and what would mend it, and ends with 1.';
  static override examples = [
    '<%= config.bin %> avro check fixtures/avro/schemas/user-v1.avsc fixtures/avro/schemas/user-v2.avsc',
    '<%= config.bin %> avro check fixtures/avro/schemas/user-v1.avsc fixtures/avro/schemas/user-v3.avsc --level FULL --json',
  ];
  static override strict = false;
  static override args = {
    schemas: Args.string({
      ignoreStdin: true,
      description: 'two schemas or more, the new one last',
      required: true,
    }),
  };
  static override flags = {
    level: Flags.option({
      options: COMPATIBILITY_LEVELS,
      default: 'BACKWARD' as CompatibilityLevel,
    })({ description: 'what must be able to read what' }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(AvroCheck);
    const paths = argv as string[];
    if (paths.length < 2)
      throw usageError('usage', 'two schemas are wanted: older ones, and the new one');
    const types = [];
    for (const path of paths) types.push((await schemaOf(path)).schema.root);
    const found = incompatibilities(types.at(-1)!, types.slice(0, -1), flags.level);
    if (found.length > 0) process.exitCode = EXIT.damage;
    if (flags.json) {
      const problems = found.map(({ against, ...problem }) => ({
        ...problem,
        against: paths[against],
      }));
      this.printJson({ compatible: found.length === 0, level: flags.level, problems });
      return;
    }
    const lines = found.map((problem) => {
      const old = paths[problem.against]!;
      const [reader, writer] =
        problem.direction === 'backward' ? [paths.at(-1), old] : [old, paths.at(-1)];
      return `${reader} cannot read all that ${writer} wrote:\n  ${problemText(problem)}`;
    });
    this.printText(lines.length > 0 ? lines.join('\n') : `compatible: ${flags.level}`);
  }
}
