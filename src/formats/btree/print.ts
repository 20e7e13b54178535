/** A row as a record: bytes as keys and values are shown, columns as JSON. */
import { bytesValue } from '../bytes/value.ts';
import type { ListValue, RecordSink } from '../format.ts';
import { type BtreeRow, OddText, type SqlValue, WholeReal } from './model.ts';

/** A column as JSON: blobs like all bytes, integers beyond 2^53 - 1 as digits. */
export function cellValue(value: SqlValue, sink?: RecordSink): unknown {
  if (typeof value === 'string') return sink?.cell?.(value) ?? value;
  if (value instanceof Uint8Array) return sink?.cell?.(value) ?? { hex: hexOf(value) };
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  if (value instanceof OddText) return cellValue(value.bytes, sink);
  if (value instanceof WholeReal) return value.value;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}

/** A blob is never a string, so that it can be told from text. */
function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

export function printContent(sink: RecordSink, row: BtreeRow): void {
  const { cells } = row;
  if (cells) {
    const { key, value } = cells;
    const keyShown = Array.isArray(key) ? key.map((one) => cellValue(one, sink)) : cellValue(key);
    sink.json('key', keyShown);
    if (sink.list) sink.list('value', value.map(listValue));
    else {
      sink.json(
        'value',
        value.map((one) => cellValue(one, sink)),
      );
    }
    return;
  }
  sink.bytes('key', 'key', row.bytes, row.keyStart, row.keyEnd);
  sink.bytes('value', 'value', row.valueBytes, row.valueStart, row.valueEnd);
}

function listValue(value: SqlValue): ListValue {
  if (value instanceof OddText) return value.bytes;
  return value instanceof WholeReal ? value.value : value;
}

export function printRow(sink: RecordSink, row: BtreeRow): void {
  sink.begin();
  printContent(sink, row);
  sink.end();
}

export function printWithTree(sink: RecordSink, row: BtreeRow): void {
  sink.begin();
  sink.text('tree', row.tree);
  printContent(sink, row);
  sink.end();
}

/** With columns by name, where there are names. */
export function printColumns(sink: RecordSink, row: BtreeRow): void {
  const { cells } = row;
  if (!cells) {
    printWithTree(sink, row);
    return;
  }
  sink.begin();
  sink.text('tree', row.tree);
  const { key, value, columns } = cells;
  sink.json('key', Array.isArray(key) ? key.map((one) => cellValue(one, sink)) : cellValue(key));
  const named = value.map((one, i) => [columns[i] ?? `column${i + 1}`, cellValue(one, sink)]);
  sink.json('value', Object.fromEntries(named));
  sink.end();
}

/** With file, offset and page: where the row lies. */
export function printPlace(sink: RecordSink, row: BtreeRow, tree: boolean): void {
  sink.begin();
  sink.text('file', row.file);
  sink.integer('offset', row.offset);
  sink.integer('length', row.length);
  sink.word('op', 'put');
  if (tree) sink.text('tree', row.tree);
  printContent(sink, row);
  sink.end();
}

/** A key for people and JSON, out of a row. */
export function keyOf(row: BtreeRow): unknown {
  const { cells } = row;
  if (!cells) return bytesValue(row.bytes, row.keyStart, row.keyEnd);
  return Array.isArray(cells.key) ? cells.key.map((one) => cellValue(one)) : cellValue(cells.key);
}

/**
 * A key as bytes to compare with what a command line gives: the key itself; in SQLite the rowid's
 * digits, or the columns, one after the other behind a comma.
 */
export function keyText(row: BtreeRow): Uint8Array {
  const { cells } = row;
  if (!cells) return row.bytes.subarray(row.keyStart, row.keyEnd);
  const { key } = cells;
  if (key instanceof Uint8Array) return key;
  if (!Array.isArray(key)) return Buffer.from(String(key));
  const [only] = key;
  if (key.length === 1 && only instanceof Uint8Array) return only;
  return Buffer.from(key.map((one) => plain(one)).join(','));
}

function plain(value: SqlValue): string {
  if (value === null) return '';
  if (value instanceof WholeReal) return String(value.value);
  if (value instanceof OddText) return hexOf(value.bytes);
  return value instanceof Uint8Array ? hexOf(value) : String(value);
}
