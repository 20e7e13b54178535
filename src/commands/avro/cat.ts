import { Args, Flags } from '@oclif/core';
import { catContainers } from '../../cli/avro-cat.ts';
import { jsonFlags, modeOf } from '../../cli/avro-flags.ts';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { damageLine } from '../../cli/dump-command.ts';
import { openPath } from '../../cli/open.ts';
import { EXIT_BY_VERDICT } from '../../cli/verify-command.ts';
import { worseVerdict } from '../../formats/findings.ts';

export default class AvroCat extends DdiaCommand {
  static override summary = 'print the data of containers, one JSON value a line';
  static override description =
    'Streams: the first line appears at once, and memory does not grow with the file. Damage is reported on ' +
    'stderr and read past, and ends with 1 (4 for a torn tail).';
  static override examples = [
    '<%= config.bin %> avro cat fixtures/avro/ocf/users-snappy.avro --limit 3',
    '<%= config.bin %> avro cat fixtures/avro/ocf/users-null.avro --json-encoding avro --limit 2',
    'cat fixtures/avro/ocf/users-deflate.avro | <%= config.bin %> avro cat - --offset 398',
  ];
  static override strict = false;
  static override args = {
    path: Args.string({ ignoreStdin: true, description: 'containers, or -', required: true }),
  };
  static override flags = {
    'reader-schema': Flags.string({ description: 'file with the schema to read them by' }),
    ...jsonFlags,
    limit: Flags.integer({ description: 'stop after so many data of each path', min: 0 }),
    offset: Flags.integer({ description: 'leave out so many data first', min: 0, default: 0 }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(AvroCat);
    const reader = flags['reader-schema'];
    const options = {
      mode: modeOf(flags),
      reader: reader === undefined ? undefined : (await schemaOf(reader)).schema.root,
      skip: flags.offset,
      limit: flags.limit ?? Number.POSITIVE_INFINITY,
    };
    const context = this.reading(limitsOf(flags));
    let verdict: keyof typeof EXIT_BY_VERDICT = 'clean';
    for (const path of argv as string[]) {
      const input = await openPath(this, path, 'avro');
      const found = await catContainers(input, options, context, this.out, (finding) => {
        this.out.flush();
        process.stderr.write(`${damageLine(finding)}\n`);
      });
      verdict = worseVerdict(verdict, found);
    }
    process.exitCode = EXIT_BY_VERDICT[verdict];
  }
}
