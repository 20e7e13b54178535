/** scan and keys: the live content of a store, by key in byte order. */
import { Args, Flags } from '@oclif/core';
import type { RecordSink } from '../formats/format.ts';
import { usageError } from '../shared/errors.ts';
import { DamageReport } from '../ui/damage-report.ts';
import { JsonSink } from '../ui/json-sink.ts';
import { TextSink } from '../ui/text-sink.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { bound, bytesFlags, bytesFormatsOf, rangeFlags } from './dump-command.ts';
import { openPath } from './open.ts';
import { EXIT_BY_VERDICT } from './verify-command.ts';

export abstract class ContentCommand extends DdiaCommand {
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'directory of the store, or one data file of it',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    ...rangeFlags,
    reverse: Flags.boolean({ description: 'last key first' }),
    places: Flags.boolean({ description: 'file, offset and length of each record too' }),
    summary: Flags.boolean({ description: 'a last line {"summary": …}, so that an end shows' }),
    ...bytesFlags,
    ...limitFlags,
  };
  readonly family: string | undefined = undefined;
  /** Values are left where they are. */
  readonly keysOnly: boolean = false;
  /** Lines of JSON, whether --json is given or not. */
  readonly alwaysJson: boolean = false;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(this.ctor as typeof ContentCommand);
    const { out } = this;
    const input = await openPath(this, args.path, this.family, flags.dialect);
    const { family } = input;
    if (!family.content) {
      throw usageError('no-content', `${args.path} is a log: ddia ${family.id} replay --state`);
    }
    const formats = bytesFormatsOf(flags);
    const json = flags.json || this.alwaysJson;
    const sink: RecordSink = json ? new JsonSink(out, formats) : new TextSink(out, formats);
    const damage = new DamageReport(out, flags['max-findings']);
    const result = await family.content(
      input,
      {
        from: bound(flags.from),
        to: bound(flags.to),
        prefix: bound(flags.prefix),
        skip: flags.offset,
        limit: flags.limit,
        reverse: flags.reverse,
        places: flags.places,
        keysOnly: this.keysOnly,
      },
      { ...this.reading(limitsOf(flags)), now: Date.now() },
      sink,
      (finding) => damage.tell(finding),
    );
    this.progress.end();
    const { records, bytes } = result;
    if (flags.summary) {
      const summary = { records, bytes, damage: result.damage };
      out.text(`${JSON.stringify({ summary })}\n`);
    }
    out.flush();
    process.exitCode = EXIT_BY_VERDICT[result.verdict];
  }
}
