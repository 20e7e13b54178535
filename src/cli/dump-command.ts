/** dump, by family or by detection: records as lines, damage on stderr. */
import { join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import type { AskPrinting } from '../formats/aside.ts';
import type { Identified } from '../formats/detect.ts';
import type {
  DumpOptions,
  DumpResult,
  Finding,
  RecordSink,
  ScanContext,
} from '../formats/format.ts';
import { EXIT } from '../shared/errors.ts';
import { BYTES_FORMATS, type BytesFormat, type BytesFormats } from '../ui/bytes-format.ts';
import { JsonSink } from '../ui/json-sink.ts';
import { TextSink } from '../ui/text-sink.ts';
import type { PrintHow } from './aside.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { parseBytes } from './bytes-argument.ts';
import { openPath } from './open.ts';
import { EXIT_BY_VERDICT } from './verify-command.ts';

/** Files of less than this are printed before a second thread has started. */
const PRINTING_FROM_BYTES = 16 * 1024 * 1024;

/** How keys and values are shown, for every command that shows them. */
export const bytesFlags = {
  'key-format': Flags.option({ options: BYTES_FORMATS, default: 'auto' as BytesFormat })({
    description: 'how keys are shown',
    helpGroup: 'OUTPUT',
  }),
  'value-format': Flags.option({ options: BYTES_FORMATS, default: 'auto' as BytesFormat })({
    description: 'how values are shown',
    helpGroup: 'OUTPUT',
  }),
  redact: Flags.boolean({
    description: 'show length and hash instead of keys and values',
    helpGroup: 'OUTPUT',
  }),
};

export function bytesFormatsOf(flags: {
  'key-format': BytesFormat;
  'value-format': BytesFormat;
  redact: boolean;
}): BytesFormats {
  return { key: flags['key-format'], value: flags['value-format'], redact: flags.redact };
}

export const rangeFlags = {
  from: Flags.string({ description: 'first key (inclusive); hex:… and base64:… are understood' }),
  to: Flags.string({ description: 'last key (exclusive)' }),
  prefix: Flags.string({ description: 'only keys that begin so' }),
  limit: Flags.integer({ description: 'stop after this many records', min: 0 }),
  offset: Flags.integer({ description: 'leave out this many records first', min: 0 }),
};

export abstract class DumpCommand extends DdiaCommand {
  static override strict = false;
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'file, directory that holds it or its segments, or -',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    ...rangeFlags,
    batches: Flags.boolean({
      description: 'group operations that were written as one',
      exclusive: ['from', 'to', 'prefix', 'offset', 'limit'],
    }),
    'stop-at-damage': Flags.boolean({ description: 'end at the first damage' }),
    'with-damage': Flags.boolean({ description: 'damage as {"damage": …} lines in the stream' }),
    summary: Flags.boolean({ description: 'a last line {"summary": …}, so that an end shows' }),
    ...bytesFlags,
    ...limitFlags,
  };
  readonly family: string | undefined = undefined;

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(this.ctor as typeof DumpCommand);
    const { out } = this;
    const formats = bytesFormatsOf(flags);
    const sink: RecordSink = flags.json ? new JsonSink(out, formats) : new TextSink(out, formats);
    const context: ScanContext = {
      ...this.reading(limitsOf(flags)),
    };
    const options = {
      from: bound(flags.from),
      to: bound(flags.to),
      prefix: bound(flags.prefix),
      skip: flags.offset,
      limit: flags.limit,
      stopAtDamage: flags['stop-at-damage'],
      batches: flags.batches,
      redact: flags.redact,
    };
    const total = { records: 0, bytes: 0, damage: 0 };
    let exit: number = EXIT.ok;
    const onDamage = this.#damageReporter(flags['with-damage'], flags.json, flags['max-findings']);
    for (const path of argv as string[]) {
      const input = await openPath(this, path, this.family, flags.dialect);
      const printing = await this.#printing(input, context, { json: flags.json, formats });
      const result = await this.dump(input, options, { ...context, printing }, sink, onDamage);
      total.records += result.records;
      total.bytes += result.bytes;
      total.damage += result.damage;
      if (exit !== EXIT.damage && result.verdict !== 'clean')
        exit = EXIT_BY_VERDICT[result.verdict];
    }
    this.progress.end();
    if (flags.summary) out.text(`${JSON.stringify({ summary: total })}\n`);
    out.flush();
    process.exitCode = exit;
  }

  /** A second thread that prints, for what is large. */
  async #printing(
    input: Identified,
    context: ScanContext,
    how: PrintHow,
  ): Promise<AskPrinting | undefined> {
    const bytes = input.files.reduce((sum, { size = 0 }) => sum + size, 0);
    if (bytes < PRINTING_FROM_BYTES) return undefined;
    const { printingFor } = await import('./aside.ts');
    const worker = join(this.config.root, 'dist/aside-worker.js');
    return printingFor(input, context, worker, how);
  }

  /** What is dumped of it. */
  protected dump(
    input: Identified,
    ...how: [DumpOptions, ScanContext, RecordSink, (finding: Finding) => void]
  ): Promise<DumpResult> {
    return input.family.dump(input, ...how);
  }

  /** stdout stays data: a report of each damaged place goes to stderr, up to a limit. */
  #damageReporter(inStream: boolean, json: boolean, most: number): (finding: Finding) => void {
    let told = 0;
    return (finding) => {
      if (inStream) this.out.text(`${JSON.stringify({ damage: finding })}\n`);
      if (++told > most) {
        if (told === most + 1) process.stderr.write('… more damage, not listed\n');
        return;
      }
      if (json && inStream) return;
      this.out.flush();
      process.stderr.write(`${damageLine(finding)}\n`);
    };
  }
}

/** A bound of a range, as it is given on the command line. */
export function bound(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : parseBytes(text);
}

export function damageLine(finding: Finding): string {
  const { severity, code, file, offset, length, message, diagnosis } = finding;
  const more = diagnosis ? `; ${diagnosis}` : '';
  return `${severity}: ${code} ${file} @ ${offset} +${length}: ${message}${more}`;
}
