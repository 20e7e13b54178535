/**
 * The rules of the house, held against the sources as text. Who may import whom, downwards only:
 *
 *     commands → cli, engines, formats, ui, io, shared
 *     cli      → engines, formats, ui, io, shared
 *     engines  → formats, io, sim, shared
 *     ui       → formats, shared        types, and the one helper that makes marks of bytes readable
 *     io, sim  → formats, shared        of formats, the types of format.ts alone
 *     formats  → shared
 *     shared   → nothing
 *
 * Every room may import from itself. src/main.ts is the door: it knows cli and shared.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Source {
  /** Below src/, with slashes. */
  path: string;
  room: string;
  text: string;
}

const sources: Source[] = filesBelow('src', '.ts').map((path) => ({
  path,
  room: path.includes('/') ? path.slice(0, path.indexOf('/')) : 'main',
  text: readFileSync(join(root, 'src', path), 'utf8'),
}));

const tests = filesBelow('test', '.ts').map((path) => ({
  path,
  text: readFileSync(join(root, 'test', path), 'utf8'),
}));

function filesBelow(directory: string, end: string): string[] {
  return readdirSync(join(root, directory), { recursive: true })
    .map((name) => String(name).replaceAll('\\', '/'))
    .filter((name) => name.endsWith(end))
    .sort();
}

interface Import {
  from: Source;
  /** As it is written: `../io/disk.ts`, `node:fs`. */
  specifier: string;
  /** Below src/, for files of ours. */
  target: string | undefined;
  /** Nothing of it is left when the program runs. */
  typeOnly: boolean;
  /** Names that are left when the program runs. */
  values: string[];
}

const IMPORT =
  /^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

const imports: Import[] = sources.flatMap((from) =>
  [...from.text.matchAll(IMPORT)].map(([, type, names = '', fixed, dynamic]) => {
    const specifier = (fixed ?? dynamic)!;
    const values = type
      ? []
      : names
          .replace(/^\{|\}$/g, '')
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '' && !name.startsWith('type '));
    const ours = specifier.startsWith('.');
    return {
      from,
      specifier,
      target: ours ? join(dirname(from.path), specifier).replaceAll('\\', '/') : undefined,
      typeOnly: dynamic === undefined && values.length === 0 && names !== '',
      values,
    };
  }),
);

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  main: ['cli', 'shared'],
  commands: ['cli', 'engines', 'formats', 'ui', 'io', 'shared'],
  cli: ['engines', 'formats', 'ui', 'io', 'shared'],
  engines: ['formats', 'io', 'sim', 'shared'],
  ui: ['formats', 'shared'],
  io: ['formats', 'shared'],
  sim: ['formats', 'shared'],
  formats: ['shared'],
  shared: [],
};

/** What ui/ takes from formats/ that is more than a type. */
const UI_HELPERS = ['unmark'];

/** Rooms whose packages from outside are listed; all others use Node alone. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  main: ['@oclif/core'],
  commands: ['@oclif/core'],
  cli: ['@oclif/core'],
  ui: ['chalk', 'cli-progress', 'cli-table3'],
};

const roomOf = (path: string): string => path.slice(0, Math.max(0, path.indexOf('/'))) || 'main';
const shown = ({ from, specifier }: Import): string => `${from.path} imports ${specifier}`;

describe('imports', () => {
  it('go downwards only', () => {
    const upwards = imports.filter(({ from, target }) => {
      if (target === undefined) return false;
      const room = roomOf(target);
      return room !== from.room && !MAY_IMPORT[from.room]?.includes(room);
    });
    expect(upwards.map(shown)).toEqual([]);
  });

  it('know every room', () => {
    const unknown = sources.filter(({ room }) => !(room in MAY_IMPORT));
    expect(unknown.map(({ path }) => path)).toEqual([]);
  });

  it('of io and sim take nothing from formats but the types of format.ts', () => {
    const more = imports.filter(
      ({ from, target, typeOnly }) =>
        (from.room === 'io' || from.room === 'sim') &&
        target?.startsWith('formats/') &&
        !(typeOnly && target === 'formats/format.ts'),
    );
    expect(more.map(shown)).toEqual([]);
  });

  it('of ui take types from formats, and a helper or two', () => {
    const more = imports.filter(
      ({ from, target, values }) =>
        from.room === 'ui' &&
        target?.startsWith('formats/') &&
        values.some((name) => !UI_HELPERS.includes(name)),
    );
    expect(more.map(shown)).toEqual([]);
  });

  it('of packages from outside are where they belong', () => {
    const elsewhere = imports.filter(
      ({ from, specifier, target }) =>
        target === undefined &&
        !specifier.startsWith('node:') &&
        !PACKAGES[from.room]?.includes(specifier),
    );
    expect(elsewhere.map(shown)).toEqual([]);
  });

  it('of node:fs are in io alone; what writes standard output is the exception', () => {
    const elsewhere = imports.filter(
      ({ from, specifier }) =>
        /^(?:node:)?fs(?:\/promises)?$/.test(specifier) &&
        from.room !== 'io' &&
        from.path !== 'ui/output.ts',
    );
    expect(elsewhere.map(shown)).toEqual([]);
  });

  it('of formats open nothing: no network, no processes, no clock', () => {
    const ALLOWED = ['node:buffer', 'node:crypto'];
    const more = imports.filter(
      ({ from, specifier }) =>
        from.room === 'formats' && specifier.startsWith('node:') && !ALLOWED.includes(specifier),
    );
    expect(more.map(shown)).toEqual([]);
  });
});

const FILE_LINES_MAX = 350;
const COLUMNS_MAX = 100;
const COMMENT_COLUMNS_MAX = 100;
/** A line that a string makes long: what is left of it without its strings is short enough. */
const STRINGS = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`?|^[^`]*`,?$/g;
const COMMENT = /^\s*(?:\/\*\*|\*|\/\/)/;

/** Lines of a source with their place. */
function lines(keep: (line: string) => boolean, among = sources): string[] {
  return among.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (keep(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );
}

/** Without comments and strings, in which anything may stand. */
function bare(line: string): string {
  return COMMENT.test(line) ? '' : line.replace(STRINGS, "''").replace(/\s\/\/ .*$/, '');
}

describe('sources', () => {
  it(`have at most ${FILE_LINES_MAX} lines`, () => {
    const long = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(long.filter((one) => one.lines > FILE_LINES_MAX)).toEqual([]);
  });

  it(`have code of at most ${COLUMNS_MAX} columns, strings aside`, () => {
    const long = (line: string) =>
      [...line].length > COLUMNS_MAX && !COMMENT.test(line) && [...bare(line)].length > COLUMNS_MAX;
    expect(lines(long)).toEqual([]);
  });

  it(`have comments of at most ${COMMENT_COLUMNS_MAX} columns`, () => {
    const long = (line: string) => [...line].length > COMMENT_COLUMNS_MAX && COMMENT.test(line);
    expect(lines(long)).toEqual([]);
  });

  it('never end the process: they set process.exitCode', () => {
    expect(lines((line) => /\bprocess\.exit\(/.test(bare(line)))).toEqual([]);
  });

  it('never print through the console', () => {
    expect(lines((line) => /\bconsole\./.test(bare(line)))).toEqual([]);
  });

  it('leave nothing to be done later', () => {
    const later = new RegExp(`\\b(?:${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\\b`);
    expect(lines((line) => later.test(line))).toEqual([]);
    expect(lines((line) => later.test(line), tests as Source[])).toEqual([]);
  });
});

describe('tests', () => {
  it('are all run', () => {
    const narrowed = /\b(?:it|test|describe)(?:\.concurrent)?\.(?:only|skip|todo)\b/;
    expect(lines((line) => narrowed.test(bare(line)), tests as Source[])).toEqual([]);
  });
});

describe('commands', () => {
  const { commands } = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
    commands: Record<string, { summary?: string; examples?: string[] }>;
  };

  it.each(Object.entries(commands))('%s has a summary and two examples', (_, command) => {
    expect(command.summary ?? '').not.toBe('');
    expect(command.examples?.length ?? 0).toBeGreaterThanOrEqual(2);
  });

  it('are all in the manifest', () => {
    const files = filesBelow('src/commands', '.ts').map((name) => name.slice(0, -3));
    expect(Object.keys(commands).sort()).toEqual(files.map((name) => name.replaceAll('/', ':')));
  });
});

/** Words that look like a code and are none: names of spans that are no damage. */
const NO_CODES = ['empty-first'];

/** Functions that make a finding, or mark a span as damaged, and are given its code. */
const EMITTERS = [
  /\b(?:finding|damage|note|noteFlips|add|addFlips|filler|leaf|fail|emit|tell)\(/g,
  /#(?:damage|fail|emit|finding|note)\(/g,
];

/**
 * Codes of findings that the sources under src/formats can emit: what stands behind `code:` and `damage:`, what
 * `code` is set to, and what is handed to the functions that make findings.
 */
function emittedCodes(): Map<string, string> {
  const codes = new Map<string, string>();
  const note = (text: string, path: string) => {
    for (const [, word] of text.matchAll(/'([a-z]+(?:-[a-z]+)*)'/g)) codes.set(word!, path);
  };
  for (const { path, room, text } of sources) {
    // Errors that end a command have codes of their own, and mutations and differences kinds.
    if (room !== 'formats' || /^formats\/(?:mutate|diff|detect|ledger)/.test(path)) continue;
    const code = text.replaceAll(/\b(?:DdiaError|usageError)\(\s*'[^']*'/g, '(');
    for (const [, value] of code.matchAll(/\b(?:code|damage): ([^;{}]*?)(?:[,;}\n]|$)/g)) {
      note(value!.replaceAll(/[=!]== '[^']*'/g, ''), path);
      // A constant of the same file stands for its word.
      for (const [name] of value!.matchAll(/\b[A-Z_]{2,}\b/g)) {
        note(new RegExp(`\\bconst ${name} = ('[^']*')`).exec(code)?.[1] ?? '', path);
      }
    }
    for (const [, value] of code.matchAll(/\bcode\s*=(?!=)\s*([^;]*);/g)) {
      note(value!.replaceAll(/[=!]== '[^']*'/g, ''), path);
    }
    for (const emitter of EMITTERS) {
      for (const call of code.matchAll(emitter)) {
        const given = argumentsFrom(code, call.index + call[0].length);
        // Words with a hyphen are codes wherever they stand; others are, where the code has its place.
        for (const argument of given) {
          const [, word] = /^'([a-z]+(?:-[a-z]+)+)'$/.exec(argument) ?? [];
          if (word !== undefined) codes.set(word, path);
        }
        const second = /\bfinding\($/.test(call[0]) && !given[0]?.startsWith("'");
        const lone = /^'([a-z]+)'$/.exec(given[second ? 1 : 0] ?? '')?.[1];
        const known = second || /\b[lL]osses\.$/.test(code.slice(0, call.index));
        if (lone !== undefined && known) codes.set(lone, path);
      }
    }
  }
  for (const word of NO_CODES) codes.delete(word);
  return codes;
}

/** The arguments of a call, as text; `at` is behind its opening parenthesis. */
function argumentsFrom(text: string, at: number): string[] {
  const given: string[] = [];
  let depth = 0;
  let from = at;
  for (let i = at; i < text.length; i++) {
    const c = text[i]!;
    if (c === "'" || c === '`') {
      i = text.indexOf(c, i + 1);
      if (i < 0) break;
    } else if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c) && depth-- === 0) {
      given.push(text.slice(from, i).trim());
      break;
    } else if (c === ',' && depth === 0) {
      given.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  return given;
}

describe('findings', () => {
  const page = readFileSync(join(root, 'docs/findings.md'), 'utf8');
  const documented = [...page.matchAll(/^### `([a-z-]+)`/gm)].map(([, code]) => code!);
  const emitted = emittedCodes();

  it('are all documented in docs/findings.md', () => {
    const missing = [...emitted].filter(([code]) => !documented.includes(code));
    expect(missing.map(([code, path]) => `${code} (${path})`)).toEqual([]);
  });

  it('that are documented can be emitted', () => {
    expect(documented.filter((code) => !emitted.has(code))).toEqual([]);
  });

  it('are documented once', () => {
    expect(documented).toEqual([...new Set(documented)]);
  });
});

const PAGE_LINES_MAX = 120;

describe('dialects', () => {
  // A folder with an index.ts is a dialect; others hold what several of them share.
  const dialects = sources
    .map(({ path }) => /^formats\/([^/]+)\/([^/]+)\/index\.ts$/.exec(path))
    .flatMap((match) => (match ? [`${match[1]}/${match[2]}`] : []));

  it.each(dialects)('%s has a page on its layout', (dialect) => {
    const path = join(root, 'src/formats', dialect, 'FORMAT.md');
    expect(existsSync(path), `${dialect}/FORMAT.md`).toBe(true);
    expect(readFileSync(path, 'utf8').split('\n').length - 1).toBeLessThanOrEqual(PAGE_LINES_MAX);
  });

  it.each(dialects)('%s is told of in docs and in the README', (dialect) => {
    const [family, id] = dialect.split('/');
    expect(readFileSync(join(root, `docs/${family}.md`), 'utf8')).toContain(`\`${id}\``);
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\`${id}\``);
  });

  it('of our own making are documented in docs/formats too', () => {
    for (const dialect of dialects.filter((id) => id.endsWith('/v2'))) {
      const page = readFileSync(join(root, 'src/formats', dialect, 'FORMAT.md'), 'utf8');
      const copy = join(root, 'docs/formats', `${dialect.replace('/', '-')}.md`);
      expect(readFileSync(copy, 'utf8'), copy).toBe(page);
    }
  });
});
