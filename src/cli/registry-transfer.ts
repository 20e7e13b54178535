/** export and import: all of a registry as lines of JSON. */
import type { FullVersion, Registry, RegistryReader } from '../engines/registry/registry.ts';
import { schemaInput } from '../engines/registry/rest.ts';
import { readLines } from '../io/lines.ts';
import { DdiaError } from '../shared/errors.ts';
import { throwInLine } from './writable.ts';

/** Versions by id, so that what is referred to comes first; settings last. */
export function exportLines(registry: RegistryReader): string[] {
  const { state } = registry;
  const versions = registry
    .subjects(true)
    .flatMap((subject) =>
      registry.versions(subject, true).map((one) => registry.full(subject, one)),
    )
    .sort((a, b) => a.id - b.id || (a.subject < b.subject ? -1 : 1) || a.version - b.version);
  const lines: object[] = versions.map(({ type, text, references, deleted, ...rest }) => ({
    ...rest,
    schemaType: type,
    ...(references.length > 0 && { references }),
    ...(deleted && { deleted }),
    schema: text,
  }));
  lines.push({ compatibility: state.level, mode: state.mode });
  for (const [subject, compatibility] of state.levels) lines.push({ subject, compatibility });
  for (const [subject, mode] of state.modes) lines.push({ subject, mode });
  return lines.map((line) => JSON.stringify(line));
}

export async function importLines(
  registry: Registry,
  signal: AbortSignal,
): Promise<{ lines: number; changed: number }> {
  const result = { lines: 0, changed: 0 };
  let waiting: { text: string; number: number }[] = [];
  await readLines(
    0,
    (line, number) => {
      const text = line.toString('utf8');
      if (text.trim() !== '') waiting.push({ text, number });
    },
    signal,
    async () => {
      for (const { text, number } of waiting) {
        try {
          if (await importLine(registry, text)) result.changed++;
        } catch (error) {
          throwInLine(number, error);
        }
        result.lines++;
      }
      waiting = [];
    },
  );
  return result;
}

/** True if it changed something. */
async function importLine(registry: Registry, text: string): Promise<boolean> {
  const line = lineOf(text);
  const { subject = null, compatibility, mode, version, id } = line;
  if (subject !== null && typeof subject !== 'string') throw badLine('subject is no string');
  if (line['schema'] === undefined) {
    if (compatibility !== undefined) await registry.setLevel(subject, compatibility);
    if (mode !== undefined) await registry.setMode(subject, mode);
    if (compatibility === undefined && mode === undefined)
      throw badLine('neither schema nor setting');
    return true;
  }
  if (subject === null || !isNumber(version) || !isNumber(id)) {
    throw badLine('a schema needs subject, version and id');
  }
  const deleted = line['deleted'] === true;
  const full: FullVersion = { ...schemaInput(line), subject, version, id, deleted };
  return registry.restore(full);
}

function lineOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw badLine(`no JSON: ${(error as Error).message}`);
  }
}

function badLine(why: string): DdiaError {
  return new DdiaError('bad-line', why);
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
