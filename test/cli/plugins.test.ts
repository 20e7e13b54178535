import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectFormats, type PluginPackage } from '../../src/cli/plugin-formats.ts';
import { loadDialect } from '../../src/cli/plugins.ts';
import {
  ddia,
  type ErrorAnswer,
  fixturesStayTheSame,
  json,
  lines,
  root,
  temporaryDirectory,
} from './run.ts';

fixturesStayTheSame('examples/ddia-plugin-lines/sample');
const directory = temporaryDirectory();
const LINES = join(root, 'examples/ddia-plugin-lines');
const SAMPLE = 'examples/ddia-plugin-lines/sample';

/** A data directory whose plugins are linked the way oclif's own `plugins link` does it. */
function linked(name: string, plugins: { name: string; root: string }[]): Record<string, string> {
  const data = join(directory, name);
  mkdirSync(join(data, 'ddia'), { recursive: true });
  const list = { oclif: { schema: 1, plugins: plugins.map((p) => ({ type: 'link', ...p })) } };
  writeFileSync(join(data, 'ddia', 'package.json'), JSON.stringify(list));
  return { XDG_DATA_HOME: data, DDIA_DATA_DIR: '' };
}

/** A plugin package with one format whose module has this text. */
function plugin(
  name: string,
  format: object,
  module: string,
  apiVersion: unknown = 1,
): PluginPackage {
  const home = join(directory, name);
  mkdirSync(home, { recursive: true });
  const formats = [{ module: './index.js', title: 'a test', ...format }];
  const pjson = {
    name,
    version: '1.0.0',
    type: 'module',
    oclif: {},
    ddia: { apiVersion, formats },
  };
  writeFileSync(join(home, 'package.json'), JSON.stringify(pjson));
  writeFileSync(join(home, 'index.js'), module);
  return { name, root: home, pjson };
}

describe('a linked plugin', () => {
  const env = linked('lines', [{ name: 'ddia-plugin-lines', root: LINES }]);

  it('is in the list of formats, and has a page', () => {
    const { formats } = json<{ formats: { dialect: string }[] }>(
      ddia(['formats', '--json'], { env }),
    );
    expect(formats).toContainEqual(
      expect.objectContaining({ dialect: 'lines', origin: 'ddia-plugin-lines', write: true }),
    );
    const page = ddia(['formats', 'lines'], { env });
    expect(page.stdout).toBe(readFileSync(join(LINES, 'FORMAT.md'), 'utf8'));
  });

  it('is asked about files that are named as it says, and about those that nobody knows', () => {
    const other = join(directory, 'unnamed');
    cpSync(join(root, SAMPLE, '000001.lines'), other);
    const ran = ddia(['identify', SAMPLE, other, 'package.json', '--json'], { env });
    expect(ran.status).toBe(3);
    expect(json(ran)).toMatchObject({
      results: [
        { dialect: 'lines', confidence: 'certain', files: ['000001.lines', '000002.lines'] },
        { dialect: 'lines', confidence: 'certain' },
        { error: { code: 'unknown-format' } },
      ],
    });
  });

  it('serves the verbs of its family', () => {
    const verify = ddia(['wal', 'verify', SAMPLE, '--json'], { env });
    expect(verify.status).toBe(1);
    expect(json(verify)).toMatchObject({
      results: [
        {
          dialect: 'lines',
          stats: { files: 2, records: 6 },
          findings: [
            { code: 'crc-mismatch', file: '000002.lines', offset: 30, length: 26 },
            { code: 'torn-tail', file: '000002.lines', offset: 84, length: 9 },
          ],
        },
      ],
    });
    const found = ddia(['find', 'user:2', SAMPLE, '--json'], { env });
    expect(lines(found)).toMatchObject([
      { seq: 3, value: 'Grace\nHopper' },
      { seq: 7, value: 'Grace' },
    ]);
    const shown = ddia(['inspect', SAMPLE, '--record', '1', '--json'], { env });
    const { children } = json<{ children: { name: string; value?: unknown }[] }>(shown);
    expect(children.map(({ name }) => name).join(' ')).toBe(
      'seq tab op tab key tab value tab crc line_feed',
    );
    expect(children[4]!.value).toBe('a\tb');
  });

  it('is compared with logs of another dialect', () => {
    const out = join(directory, 'as-lines');
    const input = ddia(['wal', 'dump', 'fixtures/wal/v1/clean', '--json']).stdout;
    const write = ddia(['wal', 'write', out, '--dialect', 'lines'], { env, input });
    expect(write).toMatchObject({ status: 0, stderr: '' });
    expect(ddia(['diff', 'fixtures/wal/v1/clean', out, '--with-seq'], { env })).toEqual({
      status: 0,
      stdout: 'equal: 18 operations\n',
      stderr: 'warning: commits and checkpoints are left out; --marks compares them too\n',
    });
    const marks = ddia(['diff', 'fixtures/wal/v1/clean', out, '--marks'], { env });
    expect(marks.stdout).toBe('equal: 20 operations\n');
  });

  it('is unknown without the link', () => {
    const ran = ddia(['identify', `${SAMPLE}/000001.lines`, '--json']);
    expect(ran.status).toBe(3);
  });
});

describe('plugins link, list and unlink', () => {
  it('keep the list that oclif reads', () => {
    const env = { DDIA_DATA_DIR: join(directory, 'own/data') };
    expect(ddia(['plugins', 'list'], { env }).stdout).toBe('no plugins are linked\n');
    const link = ddia(['plugins', 'link', 'examples/ddia-plugin-lines', '--json'], { env });
    expect(json(link)).toEqual({
      linked: { name: 'ddia-plugin-lines', root: LINES, formats: ['wal/lines'] },
    });
    const list = join(env.DDIA_DATA_DIR, 'package.json');
    expect(JSON.parse(readFileSync(list, 'utf8'))).toEqual({
      private: true,
      oclif: { schema: 1, plugins: [{ type: 'link', name: 'ddia-plugin-lines', root: LINES }] },
    });
    const listed = ddia(['plugins', 'list', '--json'], { env });
    expect(json(listed)).toEqual({
      plugins: [{ name: 'ddia-plugin-lines', root: LINES, formats: ['wal/lines'] }],
    });
    expect(ddia(['plugins', 'unlink', 'ddia-plugin-lines'], { env }).status).toBe(0);
    const again = ddia(['plugins', 'unlink', 'ddia-plugin-lines', '--json'], { env });
    expect(again.status).toBe(3);
    expect(json<ErrorAnswer>(again).error.code).toBe('not-linked');
  });

  it('refuse what is no plugin, or none that can be used', () => {
    const env = { DDIA_DATA_DIR: join(directory, 'refuses') };
    const wrong = plugin('ddia-plugin-newer', { id: 'wal/newer' }, '', 2);
    const taken = plugin('ddia-plugin-taken', { id: 'wal/v1' }, '');
    const codes = ['no/such', 'fixtures', wrong.root, taken.root].map(
      (dir) => json<ErrorAnswer>(ddia(['plugins', 'link', dir, '--json'], { env })).error.code,
    );
    expect(codes).toEqual(['not-found', 'not-found', 'plugin-refused', 'duplicate-dialect']);
    expect(existsSync(env.DDIA_DATA_DIR)).toBe(false);
  });
});

describe('a plugin that is at fault', () => {
  const load = (pack: PluginPackage) => loadDialect(collectFormats([pack])[0]!);
  const id = { id: 'wal/bad' };

  it.each([
    ['throws', "throw new Error('out of order')", /index\.js failed: out of order/],
    ['has no function', 'export default 1', /its default export is no function/],
    ['returns nothing', 'export default () => {}', /returned no dialect/],
    ['returns another', "export default () => ({ family: 'wal', id: 'x' })", /wal\/x for wal\/bad/],
    [
      'cannot scan',
      "export default () => ({ family: 'wal', id: 'bad', title: '', source: '', unchecked: [], " +
        'detect() {}, segmentNumber() {} })',
      /scan is no function/,
    ],
  ])('and %s is named', async (what, module, message) => {
    const name = `ddia-plugin-${what.replaceAll(' ', '-')}`;
    const failure = load(plugin(name, id, module));
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(`plugin ${name}, dialect wal/bad`);
  });

  it.each([
    [2, {}, 'it is written for plugin apiVersion 2, this is 1'],
    [1, { id: 'nope/x' }, 'id "nope/x" is no FAMILY/NAME of a family known'],
    [1, { module: 7 }, 'formats[0] names no module'],
    [1, { names: ['('] }, 'names: Invalid regular expression'],
  ])('and declares %j %j is refused', async (version, format, message) => {
    const pack = plugin('ddia-plugin-refused', { ...id, ...format }, '', version);
    await expect(load(pack)).rejects.toThrow(message);
  });

  it('and shares an id with another is told with both names', () => {
    const one = plugin('ddia-plugin-one', id, '');
    const two = plugin('ddia-plugin-two', id, '');
    expect(() => collectFormats([one, two])).toThrow(
      `dialect wal/bad is declared twice: by plugin ddia-plugin-one (${one.root}) ` +
        `and by plugin ddia-plugin-two (${two.root})`,
    );
  });

  it('does not keep others from their work, unless it is needed', () => {
    const bad = plugin('ddia-plugin-bad', { ...id, names: ['\\.bad$'] }, "throw new Error('no')");
    const env = linked('bad', [bad]);
    expect(ddia(['identify', 'fixtures/wal/v1/clean'], { env })).toMatchObject({
      status: 0,
      stderr: '',
    });
    const unknown = ddia(['identify', 'package.json'], { env });
    expect(unknown.status).toBe(3);
    expect(unknown.stderr).toMatch(/^warning: plugin ddia-plugin-bad, .*failed: no\nerror: /);
    const named = ddia(['verify', 'fixtures/wal/v1/clean', '--dialect', 'bad'], { env });
    expect(named).toMatchObject({ status: 3, stdout: '' });
    expect(named.stderr).toContain('error: plugin ddia-plugin-bad, dialect wal/bad: ');
  });
});
