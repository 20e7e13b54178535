/**
 * What a plugin's module is given, so that its package needs no import from this one: the module's
 * default export is a function that takes this object and returns a dialect. The number changes
 * when something is taken away or changes its meaning; additions leave it.
 */
import { explainFlips } from '../shared/bit-flip.ts';
import { CRC_INITIAL, crc32, crc32c } from '../shared/crc32.ts';
import { DdiaError } from '../shared/errors.ts';
import { hex32, toHex } from '../shared/hex.ts';
import { seqText } from '../shared/u64.ts';
import { BitcaskRecord, HintEntry } from './bitcask/model.ts';
import { bytesValue } from './bytes/value.ts';
import { Window } from './bytes/window.ts';
import { type Dialect, NOT_THIS } from './format.ts';
import { PLUGIN_API_VERSION } from './plugin-version.ts';
import { layoutFromScan } from './wal/layout-from-scan.ts';
import { WalRecord } from './wal/model.ts';

export { PLUGIN_API_VERSION };

export const pluginApi = {
  apiVersion: PLUGIN_API_VERSION,
  /** The reading window that scans slide over a ByteSource. */
  Window,
  /** What scans fill and hand to their visitors. */
  WalRecord,
  BitcaskRecord,
  HintEntry,
  /** layout of a wal segment whose records lie back to back, out of its scan. */
  layoutFromScan,
  crc32,
  crc32c,
  CRC_INITIAL,
  /** Which flipped bits explain a checksum mismatch. */
  explainFlips,
  DdiaError,
  /** What detect returns for a file that is something else. */
  NOT_THIS,
  hex32,
  toHex,
  seqText,
  bytesValue,
} as const;

export type PluginApi = typeof pluginApi;

/** A plugin module's default export. */
export type PluginModule = (api: PluginApi) => Dialect | Promise<Dialect>;

/** What each family calls on a dialect without asking whether it is there. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  wal: ['segmentNumber', 'scan', 'layout'],
  bitcask: ['dataFile', 'hintFile', 'dataName', 'hintName', 'scan', 'scanHint', 'layout'],
};

/** Why `value` cannot be the dialect `family/id`; undefined if it can. */
export function dialectFault(value: unknown, family: string, id: string): string | undefined {
  if (typeof value !== 'object' || value === null) return 'its function returned no dialect';
  const dialect = value as Record<string, unknown>;
  if (dialect['family'] !== family || dialect['id'] !== id) {
    return `it returned ${dialect['family']}/${dialect['id']} for ${family}/${id}`;
  }
  for (const name of ['title', 'source']) {
    if (typeof dialect[name] !== 'string') return `${name} is no string`;
  }
  if (!Array.isArray(dialect['unchecked'])) return 'unchecked is no list';
  for (const name of ['detect', ...(METHODS[family] ?? [])]) {
    if (typeof dialect[name] !== 'function') return `${name} is no function`;
  }
  return undefined;
}
