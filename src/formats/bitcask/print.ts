/** One record, or one entry of a hint file, as a line. */
import type { RecordSink } from '../format.ts';
import type { BitcaskRecord, HintEntry } from './model.ts';

/** What `write` takes back: all that the layout holds. */
export function printRecord(sink: RecordSink, record: BitcaskRecord): void {
  const { bytes, deleted, seq, expires, unsynced, timestamp } = record;
  sink.begin();
  sink.text('file', record.file);
  sink.integer('offset', record.offset);
  sink.integer('length', record.length);
  if (!Number.isNaN(timestamp)) sink.time('timestamp', timestamp);
  if (seq >= 0) sink.integer('seq', seq);
  sink.bytes('key', 'key', bytes, record.keyStart, record.keyEnd);
  if (!deleted) sink.bytes('value', 'value', bytes, record.valueStart, record.valueEnd);
  sink.flag('deleted', deleted);
  if (expires > 0) sink.integer('expires', expires);
  if (record.continued) sink.flag('continued', true);
  if (unsynced > 0) sink.integer('unsynced', unsynced);
  if (record.extra) {
    for (const [name, value] of Object.entries(record.extra)) sink.json(name, value);
  }
  sink.end();
}

export function printEntry(sink: RecordSink, entry: HintEntry, dataName: string): void {
  const { seq, size, expires, timestamp } = entry;
  sink.begin();
  sink.text('file', entry.file);
  sink.integer('offset', entry.offset);
  sink.integer('length', entry.length);
  sink.text('data', dataName);
  sink.integer('position', entry.position);
  if (size >= 0) sink.integer('size', size);
  if (!Number.isNaN(timestamp)) sink.time('timestamp', timestamp);
  if (seq >= 0) sink.integer('seq', seq);
  sink.bytes('key', 'key', entry.bytes, entry.keyStart, entry.keyEnd);
  sink.flag('deleted', entry.deleted);
  if (expires > 0) sink.integer('expires', expires);
  sink.end();
}
