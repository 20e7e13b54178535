/** What a scan of one file learns of others: the manifest, and what each was found to be. */
import type { BitcaskScanContext } from '../model.ts';
import type { StoreManifest } from './manifest.ts';
import { manifestOf } from './manifest.ts';

const CARRY = 'bitcask/v2';

/** What a scan of a whole data file leaves for the manifest to be held against. */
export interface DataSummary {
  /** Within the bytes that the manifest vouches for. */
  records: number;
  /** Lowest and highest number; 0 if there is no record. */
  seqFirst: number;
  seqLast: number;
}

export interface Carried {
  manifest: StoreManifest | undefined;
  /** The store of the first file, where there is no manifest. */
  storeId: bigint | undefined;
  summaries: Map<string, DataSummary>;
}

export function carried(context: BitcaskScanContext): Carried {
  const known = context.carry?.get(CARRY) as Carried | undefined;
  if (known) return known;
  const made: Carried = {
    manifest: manifestOf(context.set),
    storeId: undefined,
    summaries: new Map(),
  };
  context.carry?.set(CARRY, made);
  return made;
}
