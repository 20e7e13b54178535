/** Small databases, put together row by row. */
import { expect } from 'vitest';
import { RowBatch } from '../../../src/formats/btree/sqlite/deep/batch.ts';
import { type ImageEntry, ImageWriter } from '../../../src/formats/btree/sqlite/deep/image.ts';
import { sqlite } from '../../../src/formats/btree/sqlite/index.ts';
import { SqliteRecord } from '../../../src/formats/btree/sqlite/record-reader.ts';
import { fetchSqlEngine, type SqlEngine } from '../../../src/shared/sql-engine.ts';
import { alone, verify } from './support.ts';

export const deep = { deep: true };
export const input = (bytes: Uint8Array) => alone(sqlite, 'x.db', bytes);
export const messages = async (bytes: Uint8Array) =>
  (await verify(input(bytes), deep)).findings.map(({ message }) => message);

export async function engine(): Promise<SqlEngine> {
  const one = await fetchSqlEngine();
  if (!one) throw new Error('sql.js is not installed');
  return one;
}

/** A record of one header and values as they are. */
export function recordOf(serials: number[], values: Uint8Array): SqliteRecord {
  const header: number[] = [];
  for (const serial of serials) {
    if (serial >= 0x4000) header.push(0x80 | (serial >> 14));
    if (serial >= 0x80) header.push(0x80 | ((serial >> 7) & 0x7f));
    header.push(serial & 0x7f);
  }
  const record = new SqliteRecord();
  record.bytes = new Uint8Array([header.length + 1, ...header, ...values]);
  record.view = new DataView(record.bytes.buffer);
  record.length = record.bytes.length;
  record.whole = record.header.parse(record.bytes, 0, record.length, record.length);
  expect(record.whole).toBe(true);
  return record;
}

/** A database of these definitions, the table first, and rows of it. */
export function made(entries: ImageEntry[], rows: SqliteRecord[] = [], encoding = 1): Uint8Array {
  const writer = new ImageWriter(entries, true, encoding, 4);
  const batch = new RowBatch();
  rows.forEach((row, i) => {
    batch.add(row, i + 1, 1, writer.localMax);
  });
  return writer.image(batch, 0, batch.count).slice();
}

export const tableOf = (sql: string): ImageEntry => ({ type: 'table', name: 't', table: 't', sql });
