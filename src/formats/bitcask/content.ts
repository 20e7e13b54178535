/**
 * The live content of a store, by key in byte order. What a store's own software would take from
 * its hint files is found in the data itself: a damaged hint hides nothing.
 */

import { DdiaError } from '../../shared/errors.ts';
import { turn } from '../../shared/turns.ts';
import { findingOf } from '../damage.ts';
import { Findings } from '../findings.ts';
import type { ContentOptions, DumpResult, Finding, RecordSink } from '../format.ts';
import { keyInRange } from '../key-range.ts';
import { storeFiles } from './files.ts';
import { LiveIndex } from './live.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';
import { scanStore } from './reader.ts';
import { ValueReader } from './values.ts';

/** Keys told before signals and timers get a turn. */
const TURN_KEYS = 4096;

/** Reads all data files for what counts of them. */
export async function readLive(
  input: BitcaskOpened,
  context: BitcaskScanContext,
  onDamage: (finding: Finding) => void,
): Promise<LiveIndex> {
  const index = new LiveIndex(input.dialect);
  await scanStore(input, context, {
    file: (_, number) => index.beginFile(number),
    record: (record) => index.record(record),
    damage: (damage) => onDamage(findingOf(damage)),
  });
  return index;
}

export async function tellContent(
  input: BitcaskOpened,
  options: ContentOptions,
  context: BitcaskScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const { data } = storeFiles(input);
  if (!options.keysOnly) refuseStreams(input);
  const findings = new Findings(0);
  const index = await readLive(input, context, (finding) => {
    findings.add(finding);
    onDamage(finding);
  });
  const { keys } = index;
  const { from, to, prefix, skip = 0, limit = Number.POSITIVE_INFINITY } = options;
  const narrowed = from || to || prefix;
  const keep = (entry: number): boolean => {
    if (!index.isLive(entry, context.now)) return false;
    const start = keys.keyStart(entry);
    const end = start + keys.keyLength(entry);
    return !narrowed || keyInRange(keys.keyChunk(entry), start, end, options);
  };
  const asked = keys.sorted(keep, options.reverse, skip + limit).subarray(skip);
  const result = { records: 0, bytes: 0 };
  const values = options.keysOnly ? undefined : new ValueReader(input, context, index);
  try {
    for (const entry of asked) {
      if (++result.records % TURN_KEYS === 0) await turn(context);
      await values?.read(entry);
      result.bytes += keys.length(entry);
      const name = data[keys.file(entry)]!.name;
      tellEntry(index, entry, values, options.places ? name : undefined, sink);
    }
  } finally {
    values?.close();
  }
  return { ...result, damage: findings.total, verdict: findings.verdict };
}

/** Keys alone are told as keys alone, unless their places are asked for. */
function tellEntry(
  { keys, newest }: LiveIndex,
  entry: number,
  values: ValueReader | undefined,
  file: string | undefined,
  sink: RecordSink,
): void {
  sink.begin();
  if (file !== undefined) {
    sink.text('file', file);
    sink.integer('offset', keys.position(entry));
    sink.integer('length', keys.length(entry));
  }
  const more = values !== undefined || file !== undefined;
  const order = keys.order(entry);
  if (more && newest === 'seq') sink.integer('seq', order);
  else if (more && order !== 0) sink.time('timestamp', order);
  const start = keys.keyStart(entry);
  sink.bytes('key', 'key', keys.keyChunk(entry), start, start + keys.keyLength(entry));
  if (values) sink.bytes('value', 'value', values.bytes, 0, values.length);
  const expires = keys.expires(entry);
  if (more && expires > 0) sink.integer('expires', expires);
  sink.end();
}

/** Values are read by their place, once it is known which of them count. */
export function refuseStreams({ files }: BitcaskOpened): void {
  if (files.every(({ size }) => size !== undefined)) return;
  throw new DdiaError(
    'not-a-file',
    'a store is read twice: first its keys, then the values that count',
    'give it as a file, not through a pipe',
  );
}
