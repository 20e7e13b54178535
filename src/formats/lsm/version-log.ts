/** The MANIFEST that CURRENT names, read as the log of version edits that it is. */
import { findingOf } from '../damage.ts';
import type { FileSet, Finding, ScanContext } from '../format.ts';
import type { WalDialect } from '../wal/model.ts';
import { scanLog } from '../wal/reader.ts';
import { applyEdit, emptyVersion, type Field } from './edits.ts';
import type { Version } from './model.ts';
import { CURRENT, filesOfKind } from './names.ts';

/** `MANIFEST-` and a number take no more; a longer CURRENT is none. */
const CURRENT_BYTES_MAX = 64;

/** Fields of one edit that are taken together: a hostile one could have millions. */
const FIELDS_MAX = 1_000_000;

export interface Named {
  manifest: string | undefined;
  finding: Finding | undefined;
}

/** Which MANIFEST counts. Where CURRENT does not say it, the one with the highest number. */
export async function currentManifest(set: FileSet): Promise<Named> {
  const manifests = filesOfKind(set.files, 'manifest');
  const newest = manifests.at(-1)?.name;
  const instead = newest === undefined ? 'there is no MANIFEST' : `${newest} is read instead`;
  const wrong = (message: string, length = 0): Named => ({
    manifest: newest,
    finding: {
      code: 'bad-current',
      severity: 'error',
      file: CURRENT,
      offset: 0,
      length,
      message: `${message}; ${instead}`,
    },
  });
  const file = set.files.find(({ name }) => name === CURRENT);
  if (!file) return wrong('there is no file CURRENT');
  const source = set.open(CURRENT);
  const bytes = new Uint8Array(CURRENT_BYTES_MAX);
  let length: number;
  try {
    length = await source.read(bytes, 0, bytes.length, 0);
  } finally {
    source.close?.();
  }
  const text = Buffer.from(bytes.subarray(0, length)).toString('latin1');
  const name = /^(MANIFEST-\d+)\n$/.exec(text)?.[1];
  if (name === undefined) {
    return wrong(`${JSON.stringify(text)} is no name of a MANIFEST and the end of a line`, length);
  }
  if (!manifests.some((one) => one.name === name)) {
    return wrong(`${name}, which it names, is not there`, length);
  }
  return { manifest: name, finding: undefined };
}

export interface ReadVersion {
  version: Version;
  findings: Finding[];
  /** Every edit was read. */
  whole: boolean;
}

export async function readVersion(
  set: FileSet,
  dialect: WalDialect,
  manifest: string,
  context: ScanContext,
): Promise<ReadVersion> {
  const version = emptyVersion();
  const findings: Finding[] = [];
  let whole = true;
  let fields: Field[] = [];
  const files = set.files.filter(({ name }) => name === manifest);
  const input = { set, dialect, files };
  await scanLog(
    input,
    { ...context, set },
    {
      record(record) {
        if (record.index === 0) fields = [];
        if (fields.length < FIELDS_MAX) fields.push({ op: record.op, extra: record.extra ?? {} });
        if (record.index < record.batchSize - 1) return;
        const { offset, length } = record;
        applyEdit(version, fields, offset, length, (message) => {
          findings.push(misfit(manifest, offset, length, message));
        });
      },
      damage(damage) {
        if (damage.severity === 'info') return;
        whole = false;
        findings.push(findingOf(damage));
      },
    },
  );
  if (version.edits === 0) whole = false;
  return { version, findings, whole };
}

function misfit(file: string, offset: number, length: number, message: string): Finding {
  return { code: 'edit-mismatch', severity: 'error', file, offset, length, message };
}
