/** The long answers about a PATH: what every dialect says to it, and all that a directory holds. */
import { probeOf, rankOf, wholeDirectory } from './detect.ts';
import type { Detection, Dialect, Family, FileEntry, FileSet, Opened } from './format.ts';
import { NOT_THIS } from './format.ts';

/**
 * One dialect's answer: of a directory, the best that it gives on one of the files, and which that
 * is.
 */
export interface Answer {
  family: Family;
  dialect: Dialect;
  detection: Detection;
  file: string | undefined;
}

/** Files of a directory that one dialect reads. */
export interface Group extends Opened {
  family: Family;
}

/** How many files of a directory every dialect is asked about. */
const FILES_ASKED_MAX = 64;

/** Every dialect's answer, the best first. */
export async function everyAnswer(
  families: readonly Family[],
  set: FileSet,
): Promise<readonly Answer[]> {
  const answers: Answer[] = families.flatMap((family) =>
    family.dialects.map((dialect) => ({ family, dialect, detection: NOT_THIS, file: undefined })),
  );
  for (const file of set.files.slice(0, FILES_ASKED_MAX)) {
    const probe = await probeOf(set, file);
    for (const answer of answers) {
      const detection = answer.dialect.detect(probe);
      if (rankOf(detection) <= rankOf(answer.detection)) continue;
      if (!reads(answer, set, file)) continue;
      answer.detection = detection;
      answer.file = file.name;
    }
  }
  return answers.sort((a, b) => rankOf(b.detection) - rankOf(a.detection));
}

/**
 * All that a set holds, file by file: a directory of a storage engine has logs beside tables. A
 * store that is known as a whole is one group.
 * Files that are nothing known are left out. Groups are in the order of the families.
 */
export async function everyGroup(
  families: readonly Family[],
  set: FileSet,
): Promise<readonly Group[]> {
  const whole = set.isDirectory ? await wholeDirectory(families, set) : undefined;
  if (whole) return [whole];
  const groups = new Map<Dialect, { family: Family; names: Set<string> }>();
  const asked = families.flatMap((family) =>
    family.dialects.map((dialect) => ({ family, dialect, names: namesRead(family, dialect, set) })),
  );
  for (const file of set.files) {
    const able = asked.filter(({ names }) => names.has(file.name));
    if (able.length === 0) continue;
    const probe = await probeOf(set, file);
    let best: { family: Family; dialect: Dialect; rank: number } | undefined;
    for (const { family, dialect } of able) {
      const rank = rankOf(dialect.detect(probe));
      if (rank > (best?.rank ?? 0)) best = { family, dialect, rank };
    }
    if (!best) continue;
    const group = groups.get(best.dialect);
    if (group) group.names.add(file.name);
    else groups.set(best.dialect, { family: best.family, names: new Set([file.name]) });
  }
  const inOrder: Group[] = [];
  for (const { family, dialect } of asked) {
    const group = groups.get(dialect);
    if (!group) continue;
    const files = family.select(set, dialect).filter(({ name }) => group.names.has(name));
    inOrder.push({ set, family, dialect, files });
  }
  return inOrder;
}

function namesRead(family: Family, dialect: Dialect, set: FileSet): ReadonlySet<string> {
  return new Set(family.select(set, dialect).map(({ name }) => name));
}

function reads({ family, dialect }: Answer, set: FileSet, file: FileEntry): boolean {
  return family.select(set, dialect).some(({ name }) => name === file.name);
}
