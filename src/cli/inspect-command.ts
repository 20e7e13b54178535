/** What the commands that inspect share: flags, and the way from a layout to what is shown. */
import { Flags } from '@oclif/core';
import { EXIT, usageError } from '../shared/errors.ts';
import { colors } from '../ui/color.ts';
import { HexView } from '../ui/hex-view.ts';
import { OneSpanJson, SpanJson } from '../ui/span-json.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { type Inspected, inspectSpans, type Selection } from './inspect-spans.ts';
import { parseOffset } from './offset-argument.ts';

export const inspectFlags = {
  record: Flags.integer({ description: 'only the record of this number, from 1', min: 1 }),
  at: Flags.string({
    description: 'only what holds this byte, with its field marked',
    helpValue: '<offset>',
  }),
  offset: Flags.string({
    description: 'only what has bytes from here on',
    helpValue: '<offset>',
  }),
  length: Flags.string({ description: '… and in so many bytes', helpValue: '<bytes>' }),
  limit: Flags.integer({ description: 'stop after so many records or damaged spans', min: 0 }),
  depth: Flags.integer({ description: 'open so many levels below a record', min: 0 }),
  full: Flags.boolean({ description: 'print long fields in full' }),
  'max-record-bytes': limitFlags['max-record-bytes'],
};

export interface InspectFlags {
  record?: number | undefined;
  at?: string | undefined;
  offset?: string | undefined;
  length?: string | undefined;
  limit?: number | undefined;
  depth?: number | undefined;
  full: boolean;
  json?: boolean;
  color: boolean;
  'max-record-bytes': number;
}

export abstract class InspectCommand extends DdiaCommand {
  protected async inspect(input: Inspected, flags: InspectFlags): Promise<void> {
    const selection = selectionOf(flags);
    const { at } = selection;
    const depth = flags.depth ?? Number.POSITIVE_INFINITY;
    const { family, dialect } = input;
    const directory = input.set.isDirectory ? input.set.path : undefined;
    const one = at !== undefined || flags.record !== undefined;
    const json = !flags.json
      ? undefined
      : one
        ? new OneSpanJson(this.out, depth, at)
        : new SpanJson(this.out, { directory, family, dialect, depth });
    const view =
      json ??
      new HexView(this.out, await colors(flags.color), {
        depth,
        full: flags.full,
        at,
        label: `${family} ${dialect}`,
        lazy: one,
      });
    const { damaged } = await inspectSpans(
      input,
      selection,
      {
        ...this.reading(limitsOf({ ...flags, 'max-findings': 0 })),
        ...(!one && { progress: undefined }),
      },
      view,
    );
    this.progress.end();
    json?.end();
    this.out.flush();
    if (damaged) process.exitCode = EXIT.damage;
  }
}

function selectionOf(flags: InspectFlags): Selection {
  const ways = [flags.record, flags.at, flags.offset ?? flags.length];
  if (ways.filter((way) => way !== undefined).length > 1) {
    throw usageError('usage', '--record, --at and --offset with --length exclude each other');
  }
  const from = flags.offset === undefined ? undefined : parseOffset(flags.offset, '--offset');
  const length = flags.length === undefined ? undefined : parseOffset(flags.length, '--length');
  return {
    record: flags.record,
    at: flags.at === undefined ? undefined : parseOffset(flags.at, '--at'),
    from,
    to: length === undefined ? undefined : (from ?? 0) + length,
    limit: flags.limit,
  };
}
