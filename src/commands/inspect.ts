import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../cli/base-command.ts';
import { inspectSpans, type Selection } from '../cli/inspect-spans.ts';
import { parseOffset } from '../cli/offset-argument.ts';
import { openPath } from '../cli/open.ts';
import { EXIT, usageError } from '../shared/errors.ts';
import { colors } from '../ui/color.ts';
import { HexView } from '../ui/hex-view.ts';
import { Progress } from '../ui/progress.ts';
import { OneSpanJson, SpanJson } from '../ui/span-json.ts';

export default class Inspect extends DdiaCommand {
  static override summary = 'show every byte with the field that it belongs to';
  static override description =
    'Annotated hex of a file, or of each file of a directory; with --json a tree of named ' +
    'spans. Bytes that could not be understood are shown as damaged, and make it end with 1. ' +
    'Long fields are cut unless --full is given. Offsets are decimal, or hexadecimal with 0x.';
  static override examples = [
    '<%= config.bin %> inspect fixtures/wal/v1/clean/000001.wal',
    '<%= config.bin %> inspect fixtures/wal/v1/clean --record 8',
    '<%= config.bin %> inspect fixtures/wal/v1/bad-crc/000001.wal --at 0xd1',
    '<%= config.bin %> inspect fixtures/wal/v1/clean --json --depth 0',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'file, directory of segments, or -',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
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

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(Inspect);
    const selection = selectionOf(flags);
    const { at } = selection;
    const input = await openPath(this, args.path, undefined, flags.dialect);
    const depth = flags.depth ?? Number.POSITIVE_INFINITY;
    const family = input.family.id;
    const dialect = input.dialect.id;
    const directory = input.set.isDirectory ? args.path : undefined;
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
    const progress = new Progress(flags.color);
    const { damaged } = await inspectSpans(
      input,
      selection,
      {
        limits: limitsOf({ ...flags, 'max-findings': 0 }),
        signal: this.signal,
        idle: () => this.out.flush(),
        ...(one && { progress: progress.update }),
      },
      view,
    );
    progress.end();
    json?.end();
    this.out.flush();
    if (damaged) process.exitCode = EXIT.damage;
  }
}

function selectionOf(flags: {
  record?: number | undefined;
  at?: string | undefined;
  offset?: string | undefined;
  length?: string | undefined;
  limit?: number | undefined;
}): Selection {
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
