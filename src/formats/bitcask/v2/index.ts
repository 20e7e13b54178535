/** The hardened store: 000001.bcd, 000001.bch, …, MANIFEST.bitcask2. See FORMAT.md. */
import { type Detection, type FileSet, NOT_THIS, type Probe } from '../../format.ts';
import type { BitcaskDialect, StoreIdentity } from '../model.ts';
import { v2Encoder } from './encode.ts';
import {
  decodeDataHeader,
  decodeHintHeader,
  type FileHeader,
  type HintHeader,
  hasMagic,
} from './headers.ts';
import {
  dataFile,
  dataName,
  HEAD_BYTES,
  HEADER_BYTES,
  hintFile,
  hintName,
  MANIFEST_MAGIC,
  MANIFEST_NAME,
  MERGED,
} from './layout.ts';
import { manifestOf } from './manifest.ts';
import { scanData } from './scan.ts';
import { scanHint } from './scan-hint.ts';
import { layoutV2 } from './spans.ts';
import { verifySet } from './verify-set.ts';

export const v2: BitcaskDialect = {
  id: 'v2',
  family: 'bitcask',
  lockFile: 'LOCK',
  title: 'hardened store: CRC-32C bound to file and offset, atomic batches, a manifest',
  source: 'FORMAT.md',
  unchecked: [
    'records cut off between two of them at the end of the file that was written, if the store was ' +
      'not closed: they may never have been there',
  ],
  newest: 'seq',
  recordBytesMin: HEAD_BYTES,
  hints: { records: 'newest', deletions: true, trusted: true, checked: true },
  dataFile,
  hintFile,
  dataName,
  hintName,
  detect,
  scan: scanData,
  scanHint,
  layout: layoutV2,
  companions: [MANIFEST_NAME],
  liveFiles(set) {
    const manifest = manifestOf(set);
    return manifest && new Set(manifest.files.map(({ file }) => file));
  },
  identity,
  verifySet,
  encoder: v2Encoder,
};

function detect({ head, name }: Probe): Detection {
  const header = decodeDataHeader(head) ?? decodeHintHeader(head);
  if (header) return { confidence: 'certain', reason: reasonOf(header) };
  if (hasMagic(head, MANIFEST_MAGIC)) {
    return { confidence: 'certain', reason: `it begins with the magic ${MANIFEST_MAGIC}` };
  }
  if (dataFile(name) !== undefined || hintFile(name) !== undefined || name === MANIFEST_NAME) {
    return { confidence: 'likely', reason: `named like a file of a store (${name})` };
  }
  return NOT_THIS;
}

function reasonOf(header: FileHeader | HintHeader): string {
  const what = 'kind' in header ? 'data' : 'hint';
  return header.intact
    ? `the checksum of the header of ${what} file ${header.file} holds`
    : `it begins with the magic of a ${what} file`;
}

/** As the manifest has it; else by the headers of the data files. */
function identity(set: FileSet): StoreIdentity {
  const manifest = manifestOf(set);
  if (manifest) {
    const merged = manifest.files.filter((file) => file.merged).map(({ file }) => file);
    return { storeId: manifest.storeId, merged: new Set(merged) };
  }
  const headers = set.files
    .filter(({ name }) => dataFile(name) !== undefined)
    .map(({ name }) => headerOf(set, name))
    .filter((header) => header?.intact === true);
  const merged = headers.filter((header) => header!.kind === MERGED).map((header) => header!.file);
  return { storeId: headers[0]?.storeId ?? 0n, merged: new Set(merged) };
}

function headerOf(set: FileSet, name: string): FileHeader | undefined {
  const source = set.open(name);
  try {
    const bytes = new Uint8Array(HEADER_BYTES);
    const got = source.read(bytes, 0, HEADER_BYTES, 0);
    return typeof got === 'number' ? decodeDataHeader(bytes.subarray(0, got)) : undefined;
  } finally {
    source.close?.();
  }
}
