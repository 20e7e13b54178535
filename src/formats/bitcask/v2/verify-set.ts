/** The manifest against the files that are there, and the other way round. */
import { hex32 } from '../../../shared/hex.ts';
import type { FileEntry, FileSet, Finding } from '../../format.ts';
import type { BitcaskOpened, BitcaskScanContext } from '../model.ts';
import { decodeDataHeader, decodeHintHeader } from './headers.ts';
import { dataFile, dataName, HEADER_BYTES, hintFile, hintName, MANIFEST_NAME } from './layout.ts';
import { type ManifestFile, readManifest, type StoreManifest } from './manifest.ts';
import { scanData } from './scan.ts';
import { carried } from './store-files.ts';

/** As this project's writers name what is to be renamed: `.000001.bch.tmp-4711-0`. */
const TEMPORARY_NAME = /^\..+\.tmp-\d+-\d+$/s;

export async function verifySet(
  { set }: BitcaskOpened,
  context: BitcaskScanContext,
): Promise<Finding[]> {
  if (!set.isDirectory) return [];
  const findings: Finding[] = [];
  const manifest = readManifest(set);
  const entry = set.files.find(({ name }) => name === MANIFEST_NAME);
  if (typeof manifest === 'object') {
    await new SetChecker(set, context, manifest, findings).run();
  } else if (manifest !== undefined || !entry) {
    const message = manifest ?? 'there is none: nothing tells which of the data files live';
    findings.push({
      ...finding('bad-manifest', MANIFEST_NAME, `${message}; all data files are read`),
      length: entry?.size ?? 0,
      repair: 'write it anew from the files',
    });
  }
  for (const { name, size = 0 } of set.files) {
    if (!TEMPORARY_NAME.test(name)) continue;
    findings.push(leftover(name, size, 'a file that was not finished, under a temporary name'));
  }
  return findings;
}

function finding(code: string, file: string, message: string): Finding {
  return { code, severity: 'error', file, offset: 0, length: 0, message };
}

function leftover(file: string, length: number, message: string): Finding {
  const repair = 'remove the file';
  return { ...finding('leftover-file', file, message), severity: 'warning', length, repair };
}

class SetChecker {
  readonly #data = new Map<number, FileEntry>();
  readonly #hints = new Map<number, FileEntry>();
  readonly #named: ReadonlyMap<number, ManifestFile>;

  constructor(
    readonly set: FileSet,
    readonly context: BitcaskScanContext,
    readonly manifest: StoreManifest,
    readonly findings: Finding[],
  ) {
    for (const file of set.files) {
      const data = dataFile(file.name);
      if (data !== undefined) this.#data.set(data, file);
      const hint = hintFile(file.name);
      if (hint !== undefined) this.#hints.set(hint, file);
    }
    this.#named = new Map(manifest.files.map((file) => [file.file, file]));
  }

  async run(): Promise<void> {
    for (const entry of this.manifest.files) {
      await this.#dataFile(entry);
      await this.#hintFile(entry);
    }
    for (const [number, file] of this.#data) {
      if (this.#named.has(number)) continue;
      const { name, size = 0 } = file;
      this.findings.push(leftover(name, size, 'a data file that the manifest does not name'));
    }
    for (const [number, { name, size = 0 }] of this.#hints) {
      if (this.#named.get(number)?.hint) continue;
      this.findings.push(leftover(name, size, 'a hint file that the manifest does not name'));
    }
  }

  async #dataFile(entry: ManifestFile): Promise<void> {
    const name = dataName(entry.file);
    const file = this.#data.get(entry.file);
    if (!file) {
      const { records, seqFirst, seqLast } = entry;
      const held =
        records > 0 ? `${records} records, numbers ${seqFirst} to ${seqLast}` : 'nothing';
      const message = `the manifest names it, and it is not there: it held ${held}`;
      const repair = 'nothing to drop: look for the file';
      this.findings.push({ ...finding('missing-file', name, message), repair });
      return;
    }
    const header = await this.#header(name, decodeDataHeader);
    if (!header?.intact) return; // told by the scan
    if (header.crc !== entry.dataCrc) {
      const crcs = `${hex32(header.crc)}, ${hex32(entry.dataCrc)} in the manifest`;
      const message = `not the file that the manifest names: the crc of its header is ${crcs}`;
      this.findings.push({ ...finding('manifest-mismatch', name, message), length: HEADER_BYTES });
      return;
    }
    const differences = [...this.#sizes(entry, file.size), ...(await this.#contents(entry, name))];
    if (differences.length === 0) return;
    const message = `not as the manifest says: ${differences.join('; ')}`;
    const repair = 'nothing to drop: the manifest is written anew';
    const offset = Math.min(file.size ?? 0, entry.dataBytes);
    this.findings.push({ ...finding('manifest-mismatch', name, message), offset, repair });
  }

  #sizes({ sealed, dataBytes }: ManifestFile, size: number | undefined): string[] {
    const complete = sealed || this.manifest.closed;
    if (size === undefined || size === dataBytes || (!complete && size > dataBytes)) return [];
    const difference = Math.abs(size - dataBytes);
    const what =
      size < dataBytes ? `${difference} bytes are missing at its end` : `${difference} too many`;
    return [`${size} bytes, ${dataBytes} in the manifest: ${what}`];
  }

  async #contents(entry: ManifestFile, name: string): Promise<string[]> {
    const { records, seqFirst, seqLast } = await this.#summary(name);
    const differences: string[] = [];
    const compare = (what: string, here: number, there: number): void => {
      if (here !== there) differences.push(`${what} ${here}, ${there} in the manifest`);
    };
    compare('records', records, entry.records);
    compare('lowest number', seqFirst, entry.seqFirst);
    compare('highest number', seqLast, entry.seqLast);
    const { closed, nextSeq } = this.manifest;
    if (closed && seqLast >= nextSeq) {
      differences.push(`number ${seqLast}, and none from ${nextSeq} on was given`);
    }
    return differences;
  }

  /** Of the scan that has been, or of one that is made now. */
  async #summary(name: string) {
    const { summaries } = carried(this.context);
    const known = summaries.get(name);
    if (known) return known;
    const context = { ...this.context, carry: new Map<string, unknown>(), from: undefined };
    const source = this.set.open(name);
    try {
      await scanData(source, context, { record() {}, damage() {} });
    } finally {
      source.close?.();
    }
    return carried(context).summaries.get(name) ?? { records: 0, seqFirst: 0, seqLast: 0 };
  }

  async #hintFile(entry: ManifestFile): Promise<void> {
    // Where the data is gone, that is what is told.
    if (!entry.hint || !this.#data.has(entry.file)) return;
    const name = hintName(entry.file);
    const repair = 'write it anew from the data file: no data is lost';
    if (!this.#hints.has(entry.file)) {
      const message = 'the manifest names it, and it is not there';
      const warning = { ...finding('missing-file', name, message), repair };
      this.findings.push({ ...warning, severity: 'warning' });
      return;
    }
    const header = await this.#header(name, decodeHintHeader);
    if (!header?.intact || header.crc === entry.hintCrc) return;
    const crcs = `${hex32(header.crc)}, ${hex32(entry.hintCrc)} in the manifest`;
    const message = `not the file that the manifest names: the crc of its header is ${crcs}`;
    const mismatch = { ...finding('hint-mismatch', name, message), length: HEADER_BYTES };
    this.findings.push({ ...mismatch, repair });
  }

  async #header<T>(
    name: string,
    decode: (bytes: Uint8Array) => T | undefined,
  ): Promise<T | undefined> {
    const source = this.set.open(name);
    try {
      const bytes = new Uint8Array(HEADER_BYTES);
      let done = 0;
      while (done < HEADER_BYTES) {
        const got = await source.read(bytes, done, HEADER_BYTES - done, done);
        if (got <= 0) break;
        done += got;
      }
      return decode(bytes.subarray(0, done));
    } finally {
      source.close?.();
    }
  }
}
