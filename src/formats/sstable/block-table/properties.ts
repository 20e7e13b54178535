/** Properties of a table of RocksDB: what it says of itself (table/table_properties.cc). */
import { isUtf8 } from 'node:buffer';
import { toHex } from '../../../shared/hex.ts';
import { viewOf } from '../../bytes/read-fully.ts';
import { readVarint, varint } from './varint.ts';

/** Properties that are text; other known ones are varints. */
const TEXT = new RegExp(
  '^rocksdb[.](filter.policy|comparator|merge.operator|prefix.extractor.name|property.collectors|' +
    'compression|compression_options|column.family.name|creating[.].*)$',
);
/** Integers of fixed width, by their names. */
const FIXED =
  /^rocksdb\.(external_sst_file\.(version|global_seqno)|block\.based\.table\.index\.type)$/;
/** '0' and '1'. */
const FLAG = /^rocksdb\.block\.based\.table\.(prefix|whole\.key)\.filtering$/;
const BYTES = /^rocksdb\.(seqno\.time\.map)$/;

export const GLOBAL_SEQNO = 'rocksdb.external_sst_file.global_seqno';

export class Properties {
  readonly raw = new Map<string, Uint8Array>();

  add(name: string, value: Uint8Array): void {
    this.raw.set(name, value);
  }

  get known(): boolean {
    return this.raw.size > 0;
  }

  number(name: string): number | undefined {
    const value = this.raw.get(name);
    if (!value || readVarint(value, 0, value.length) !== value.length) return undefined;
    return varint.value;
  }

  text(name: string): string | undefined {
    const value = this.raw.get(name);
    return value && Buffer.from(value).toString('utf8');
  }

  fixed32(name: string): number | undefined {
    const value = this.raw.get(name);
    return value && value.length >= 4 ? viewOf(value).getUint32(0, true) : undefined;
  }

  fixed64(name: string): { high: number; low: number } | undefined {
    const value = this.raw.get(name);
    if (value?.length !== 8) return undefined;
    const view = viewOf(value);
    return { high: view.getUint32(4, true), low: view.getUint32(0, true) };
  }

  /** Ready to print. */
  all(): Record<string, unknown> {
    const shown: Record<string, unknown> = {};
    for (const [name, value] of this.raw) shown[name] = shownValue(name, value);
    return shown;
  }
}

function shownValue(name: string, value: Uint8Array): unknown {
  if (FIXED.test(name) && (value.length === 4 || value.length === 8)) {
    const view = viewOf(value);
    if (value.length === 4) return view.getUint32(0, true);
    const number = view.getBigUint64(0, true);
    return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : String(number);
  }
  const plain = isUtf8(value) && !/[\x00-\x1f\x7f]/.test(Buffer.from(value).toString('utf8'));
  if (TEXT.test(name) || FLAG.test(name)) {
    return plain ? Buffer.from(value).toString('utf8') : { hex: toHex(value.slice()) };
  }
  const number = value.length > 0 && readVarint(value, 0, value.length) === value.length;
  if (name.startsWith('rocksdb.') && number && !BYTES.test(name)) {
    return Number.isSafeInteger(varint.value) ? varint.value : String(varint.value);
  }
  return plain ? Buffer.from(value).toString('utf8') : { hex: toHex(value.slice()) };
}
