/**
 * Which family and dialect is it? Asks every dialect for a look at the files, and weighs the
 * answers.
 */
import { DdiaError, usageError } from '../shared/errors.ts';
import {
  type ByteSource,
  type Detection,
  type Dialect,
  type Family,
  type FileEntry,
  type FileSet,
  type Opened,
  PROBE_HEAD_BYTES,
  PROBE_TAIL_BYTES,
  type Probe,
} from './format.ts';

/** How many files of a directory are looked at. */
const FILES_LOOKED_AT_MAX = 64;

export interface Identified extends Opened {
  family: Family;
  detection: Detection;
}

/** A file's answers, the best first. */
interface Candidate {
  family: Family;
  dialect: Dialect;
  detection: Detection;
}

const RANK = { certain: 2, likely: 1, no: 0 } as const;

/** Greater is surer; 0: it is something else. */
export function rankOf(detection: Detection): number {
  return RANK[detection.confidence];
}

export async function probeOf(set: FileSet, file: FileEntry): Promise<Probe> {
  const source = set.open(file.name);
  try {
    const head = new Uint8Array(Math.min(PROBE_HEAD_BYTES, source.size ?? PROBE_HEAD_BYTES));
    const got = await readHead(source, head);
    return {
      name: file.name,
      size: source.size,
      head: head.subarray(0, got),
      tail: await readTail(source),
      siblings: set.siblings.map(({ name }) => name),
    };
  } finally {
    source.close?.();
  }
}

/** Undefined for what can only be read from the front. */
async function readTail(source: ByteSource): Promise<Uint8Array | undefined> {
  const { size, forwardOnly } = source;
  if (size === undefined || forwardOnly) return undefined;
  const tail = new Uint8Array(Math.min(size, PROBE_TAIL_BYTES));
  const got = await source.read(tail, 0, tail.length, size - tail.length);
  return got === tail.length ? tail : undefined;
}

async function readHead(source: ByteSource, head: Uint8Array): Promise<number> {
  let done = 0;
  while (done < head.length) {
    const got = await source.read(head, done, head.length - done, done);
    if (got <= 0) break;
    done += got;
    // What a pipe has by now will do: the first record should appear at once.
    if (source.forwardOnly && done >= 4096) break;
  }
  return done;
}

/**
 * The surest answer about a file among dialects that `reads` allows. The first that is certain
 * settles it: asking all of them about every segment would cost more than reading a small log.
 */
function surest(
  families: readonly Family[],
  probe: Probe,
  reads: (dialect: Dialect) => boolean = () => true,
): Candidate | undefined {
  let best: Candidate | undefined;
  for (const family of families) {
    for (const dialect of family.dialects) {
      if (!reads(dialect)) continue;
      const detection = dialect.detect(probe);
      if (detection.confidence === 'certain') return { family, dialect, detection };
      if (detection.confidence === 'likely') best ??= { family, dialect, detection };
    }
  }
  return best;
}

/**
 * Family and dialect of a file or directory, among `families`. With `dialectId`, that one is taken
 * at its word. Throws a DdiaError when nothing fits, or when a directory holds segments of several
 * dialects.
 */
export async function identify(
  families: readonly Family[],
  set: FileSet,
  dialectId?: string,
): Promise<Identified> {
  if (dialectId !== undefined) return named(families, set, dialectId);
  return set.isDirectory ? identifyDirectory(families, set) : identifyFile(families, set);
}

/**
 * The dialect that is asked for by name. A name alone can be that of several families: the one
 * whose look at the first file is the surest is meant.
 */
async function named(families: readonly Family[], set: FileSet, id: string): Promise<Identified> {
  const meant = families.flatMap((family) =>
    family.dialects
      .filter((dialect) => dialect.id === id || `${family.id}/${dialect.id}` === id)
      .map((dialect) => ({ family, dialect, files: family.select(set, dialect) })),
  );
  if (meant.length === 0) throw unknownDialect(families, id);
  const able = meant.filter(({ files }) => files.length > 0);
  if (able.length === 0) throw nothingIn(set, `no files of dialect ${id}`);
  let best = able[0]!;
  if (able.length > 1) {
    const ranks: number[] = [];
    for (const { dialect, files } of able) {
      const rank = rankOf(dialect.detect(await probeOf(set, files[0]!)));
      // Of two that are as sure, the one that reads all of a directory is meant.
      ranks.push(dialect.wholeDirectory && rank > 0 ? rank + 0.5 : rank);
    }
    const most = Math.max(...ranks);
    if (ranks.filter((rank) => rank === most).length > 1) throw ambiguous(id, able);
    best = able[ranks.indexOf(most)]!;
  }
  return { set, ...best, detection: { confidence: 'certain', reason: 'named by --dialect' } };
}

function unknownDialect(families: readonly Family[], id: string): DdiaError {
  const known = families.flatMap((f) => f.dialects.map((d) => `${f.id}/${d.id}`)).join(', ');
  return usageError('unknown-dialect', `unknown dialect: ${id}`, `known: ${known}`);
}

function ambiguous(id: string, able: { family: Family; dialect: Dialect }[]): DdiaError {
  const ids = able.map(({ family, dialect }) => `${family.id}/${dialect.id}`);
  return usageError(
    'ambiguous-dialect',
    `--dialect ${id} may mean ${ids.join(', ')}, and nothing in the file speaks for one of them`,
    `give it in full: --dialect ${ids[0]}`,
  );
}

async function identifyFile(families: readonly Family[], set: FileSet): Promise<Identified> {
  const probe = await probeOf(set, set.files[0]!);
  const best = surest(families, probe);
  if (!best) throw unknownFormat(set, probe.head.length === 0 && (probe.size ?? 0) === 0, families);
  return { set, files: set.files, ...best };
}

/** A file that tells what the whole directory is, whatever lies beside it. */
export async function wholeDirectory(
  families: readonly Family[],
  set: FileSet,
): Promise<Identified | undefined> {
  for (const family of families) {
    for (const dialect of family.dialects) {
      if (!dialect.wholeDirectory) continue;
      const files = family.select(set, dialect);
      if (files.length === 0) continue;
      const detection = dialect.detect(await probeOf(set, files[0]!));
      if (detection.confidence === 'certain') return { set, family, dialect, files, detection };
    }
  }
  return undefined;
}

async function identifyDirectory(families: readonly Family[], set: FileSet): Promise<Identified> {
  const whole = await wholeDirectory(families, set);
  if (whole) return whole;
  const readBy = new Map<Dialect, Set<string>>();
  for (const family of families) {
    for (const dialect of family.dialects) {
      readBy.set(dialect, new Set(family.select(set, dialect).map(({ name }) => name)));
    }
  }
  const segments = set.files.filter(({ name }) => [...readBy.values()].some((s) => s.has(name)));
  if (segments.length === 0) throw nothingIn(set, 'no segments or store files');

  const byDialect = new Map<Dialect, { candidate: Candidate; files: string[] }>();
  let misnamed: DdiaError | undefined;
  for (const file of segments.slice(0, FILES_LOOKED_AT_MAX)) {
    const probe = await probeOf(set, file);
    const candidate = surest(families, probe, (dialect) => readBy.get(dialect)!.has(file.name));
    if (candidate?.detection.confidence !== 'certain') {
      // A name says less than what is in the file.
      const other = surest(families, probe);
      if (other?.detection.confidence === 'certain') {
        misnamed ??= notNamedSo(set, file.name, other);
        continue;
      }
    }
    if (!candidate) continue;
    const entry = byDialect.get(candidate.dialect);
    if (!entry) byDialect.set(candidate.dialect, { candidate, files: [file.name] });
    else {
      entry.files.push(file.name);
      if (RANK[candidate.detection.confidence] > RANK[entry.candidate.detection.confidence]) {
        entry.candidate = candidate;
      }
    }
  }
  const found = [...byDialect.values()].sort(
    (a, b) =>
      RANK[b.candidate.detection.confidence] - RANK[a.candidate.detection.confidence] ||
      b.files.length - a.files.length,
  );
  const best = found[0];
  if (!best) throw misnamed ?? unknownFormat(set, false, families);
  const { family, dialect, detection } = best.candidate;
  const other = found.find(
    ({ candidate }) =>
      candidate.family === family &&
      candidate.dialect !== dialect &&
      candidate.detection.confidence === 'certain',
  );
  if (other) throw mixed(set, best, other);
  return { set, family, dialect, files: family.select(set, dialect), detection };
}

/** What lies in a directory is told from the rest of it by its name. */
function notNamedSo(set: FileSet, file: string, { family, dialect }: Candidate): DdiaError {
  return new DdiaError(
    'misnamed',
    `${set.path}: ${file} is a ${family.id} ${dialect.id} file, and not named like one`,
    'give the files one by one',
  );
}

function mixed(
  set: FileSet,
  a: { candidate: Candidate; files: string[] },
  b: { candidate: Candidate; files: string[] },
): DdiaError {
  const list = ({ candidate, files }: typeof a) => `${candidate.dialect.id}: ${files.join(', ')}`;
  return new DdiaError(
    'mixed-dialects',
    `${set.path} holds segments of different dialects (${list(a)}; ${list(b)})`,
    `name one with --dialect ${a.candidate.dialect.id}, or give the files one by one`,
  );
}

function nothingIn(set: FileSet, what: string): DdiaError {
  return new DdiaError(
    'no-segments',
    `${set.path}: ${what}${set.isDirectory ? ' in this directory' : ''}`,
    'ddia formats lists what is recognised and by which file names',
  );
}

function unknownFormat(set: FileSet, empty: boolean, families: readonly Family[]): DdiaError {
  const which = families.map((family) => family.id).join(', ');
  return empty
    ? new DdiaError(
        'empty-file',
        `${set.path} is empty: nothing tells its format`,
        'name it with --dialect',
      )
    : new DdiaError(
        'unknown-format',
        `${set.path}: not recognised as ${which}`,
        'name it with --dialect',
      );
}
