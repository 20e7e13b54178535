/** wal replay: operations or state on stdout, what ended the replay on stderr. */

import type { Identified } from '../formats/detect.ts';
import type { Limits, RecordSink } from '../formats/format.ts';
import { walContext } from '../formats/wal/index.ts';
import type { WalOpened } from '../formats/wal/model.ts';
import { printOperation, type ReplayResult, replayLog } from '../formats/wal/replay.ts';
import { LogState } from '../formats/wal/state.ts';
import { EXIT } from '../shared/errors.ts';
import type { BytesFormats } from '../ui/bytes-format.ts';
import { JsonSink } from '../ui/json-sink.ts';
import { TextSink } from '../ui/text-sink.ts';
import type { DdiaCommand } from './base-command.ts';

export interface ReplayFlags {
  after: bigint;
  state: boolean;
  summary: boolean;
  json: boolean;
  formats: BytesFormats;
  limits: Limits;
}

/** Returns the exit code. */
export async function replayPath(
  command: DdiaCommand,
  input: Identified,
  flags: ReplayFlags,
): Promise<number> {
  const { out } = command;
  const opened = input as unknown as WalOpened;
  const sink: RecordSink = flags.json
    ? new JsonSink(out, flags.formats)
    : new TextSink(out, flags.formats);
  const state = flags.state ? new LogState() : undefined;
  const { hasSeq } = opened.dialect;
  const result = await replayLog(
    opened,
    { after: flags.after },
    walContext(opened, {
      ...command.reading(flags.limits),
    }),
    (record) => {
      if (state) state.apply(record);
      else printOperation(sink, record, hasSeq);
    },
  );
  command.progress.end();
  if (state) printState(state, sink, hasSeq);
  if (flags.summary) out.text(`${JSON.stringify({ summary: result })}\n`);
  out.flush();
  for (const line of resultLines(result, hasSeq)) process.stderr.write(`${line}\n`);
  for (const [op, count] of state?.unfolded ?? []) {
    process.stderr.write(`warning: ${count} ${op} operations are not part of the state shown\n`);
  }
  if (!result.end) return EXIT.ok;
  return result.end.code === 'torn-tail' ? EXIT.tornTail : EXIT.damage;
}

function printState(state: LogState, sink: RecordSink, hasSeq: boolean): void {
  for (const { columnFamily, key, value, seqHigh, seqLow } of state.entries()) {
    sink.begin();
    if (hasSeq) sink.integer64('seq', seqHigh, seqLow);
    if (columnFamily >= 0) sink.integer('cf', columnFamily);
    sink.bytes('key', 'key', key, 0, key.length);
    sink.bytes('value', 'value', value, 0, value.length);
    sink.end();
  }
}

function resultLines(result: ReplayResult, hasSeq: boolean): string[] {
  const { prefix, replayed, lastSeq, end, behind, incomplete, unsealed } = result;
  const upTo = hasSeq ? ` up to seq ${lastSeq}` : '';
  const lines = [`replayed ${replayed} operations; valid prefix: ${prefix} records${upTo}`];
  if (end) {
    lines.push(`ended by ${end.code} at ${end.file} @ ${end.offset}: ${end.message}`);
    lines.push(
      behind.records > 0
        ? `behind it lie ${behind.records} readable records (${behind.bytes} bytes): not replayed`
        : 'nothing readable lies behind it',
    );
  }
  for (const { commitSeq, file, offset, reason, proven } of incomplete) {
    lines.push(
      `${proven ? 'incomplete batch' : 'batch that may be incomplete'}: commit seq ${commitSeq} at ${file} @ ${offset}: ${reason}`,
    );
  }
  if (end && unsealed > 0) {
    lines.push(`the last ${unsealed} operations before the end are sealed by no commit`);
  }
  return lines;
}
