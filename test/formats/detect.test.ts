import { describe, expect, it } from 'vitest';
import { identify } from '../../src/formats/detect.ts';
import { everyAnswer, everyGroup } from '../../src/formats/detect-all.ts';
import type { Detection, Dialect, Family, FileSet, Probe } from '../../src/formats/format.ts';
import { builtInDialects, loadFamilies } from '../../src/formats/registry.ts';
import { DdiaError } from '../../src/shared/errors.ts';
import { fixtureFiles, memorySet } from '../support/memory.ts';

/** A dialect of files that end in its name, certain where they begin with it. */
function dialect(family: string, id: string): Dialect {
  const detect = ({ name, head }: Probe): Detection => {
    if (Buffer.from(head).toString().startsWith(id)) return { confidence: 'certain', reason: id };
    return name.endsWith(`.${id}`)
      ? { confidence: 'likely', reason: 'its name' }
      : { confidence: 'no', reason: '' };
  };
  return { id, family, title: id, source: '', unchecked: [], detect };
}

/** `extension`: what its files are called, whatever the dialect. */
function family(id: string, extension: RegExp, ...ids: string[]): Family {
  return {
    id,
    dialects: ids.map((one) => dialect(id, one)),
    select: (set: FileSet) =>
      set.isDirectory ? set.files.filter((f) => extension.test(f.name)) : set.files,
  } as unknown as Family;
}

const logs = family('logs', /\.(aa|bb|log)$/, 'aa', 'bb');
const tables = family('tables', /\.(tt|aa)$/, 'tt', 'aa');
const families = [logs, tables];

const directory = (files: Record<string, string>) =>
  memorySet(Object.fromEntries(Object.entries(files).map(([n, text]) => [n, Buffer.from(text)])));
const file = (name: string, text: string) => ({
  ...directory({ [name]: text }),
  isDirectory: false,
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof DdiaError ? `${error.code} ${error.exit}` : String(error);
}

describe('identify, of a file', () => {
  it('prefers the surest answer', async () => {
    const found = await identify(families, file('x.bb', 'aa and more'));
    expect(found).toMatchObject({ dialect: { id: 'aa', family: 'logs' } });
    expect(found.detection).toEqual({ confidence: 'certain', reason: 'aa' });
    const likely = await identify(families, file('x.tt', '?'));
    expect(likely).toMatchObject({ dialect: { id: 'tt' }, detection: { confidence: 'likely' } });
  });

  it('says what is wrong when nobody answers', async () => {
    expect(await codeOf(identify(families, file('x', '?')))).toBe('unknown-format 3');
    expect(await codeOf(identify(families, file('x', '')))).toBe('empty-file 3');
  });
});

describe('identify, of a directory', () => {
  it('takes the dialect of the segments, not of what lies beside them', async () => {
    const set = directory({ 'a.log': 'bb', 'b.log': 'bb', 'c.log': '', 'notes.md': 'tt' });
    const found = await identify(families, set);
    expect(found).toMatchObject({ family: { id: 'logs' }, dialect: { id: 'bb' } });
    expect(found.files.map(({ name }) => name)).toEqual(['a.log', 'b.log', 'c.log']);
  });

  it('refuses a mixture, and what holds nothing', async () => {
    const mixed = directory({ 'a.log': 'aa', 'b.log': 'bb' });
    expect(await codeOf(identify(families, mixed))).toBe('mixed-dialects 3');
    expect(await codeOf(identify(families, directory({ x: 'aa' })))).toBe('no-segments 3');
    expect(await codeOf(identify(families, directory({ 'x.log': '' })))).toBe('unknown-format 3');
  });
});

describe('identify, of a directory whose files have the names of another dialect', () => {
  const named = {
    ...family('named', /./, 'tt', 'aa'),
    select: (set: FileSet, { id }: Dialect) => set.files.filter((f) => f.name.endsWith(`.${id}`)),
  };

  it('says so, and does not take them for what they are called', async () => {
    const error = await identify([named], directory({ 'x.tt': 'aa', 'y.tt': 'aa' })).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'misnamed', hint: 'give the files one by one' });
    expect(error).toMatchObject({
      message: expect.stringContaining('x.tt is a named aa file, and not named like one'),
    });
  });

  it('takes the rest of them, where there is one', async () => {
    const found = await identify([named], directory({ 'x.tt': 'aa', 'y.tt': '' }));
    expect(found).toMatchObject({ dialect: { id: 'tt' }, detection: { confidence: 'likely' } });
    expect(found.files.map(({ name }) => name)).toEqual(['x.tt', 'y.tt']);
  });
});

describe('identify, with a name', () => {
  it('takes the name at its word', async () => {
    const found = await identify(families, file('x', '?'), 'logs/aa');
    expect(found).toMatchObject({ family: { id: 'logs' }, detection: { confidence: 'certain' } });
    expect(await identify(families, file('x', ''), 'bb')).toMatchObject({ dialect: { id: 'bb' } });
  });

  it('asks the file when several families have the name', async () => {
    const set = directory({ 'x.tt': 'aa' });
    expect(await identify(families, set, 'aa')).toMatchObject({ family: { id: 'tables' } });
    expect(await codeOf(identify(families, file('x', '?'), 'aa'))).toBe('ambiguous-dialect 2');
  });

  it('refuses a name that nobody has', async () => {
    expect(await codeOf(identify(families, file('x', '?'), 'zz'))).toBe('unknown-dialect 2');
    expect(await codeOf(identify(families, directory({ x: '' }), 'bb'))).toBe('no-segments 3');
  });
});

describe('everyAnswer', () => {
  it('has one of each dialect, the best first', async () => {
    const answers = await everyAnswer(families, directory({ 'a.bb': '', 'b.log': 'aa' }));
    expect(answers.map((a) => [a.family.id, a.dialect.id, a.detection.confidence, a.file])).toEqual(
      [
        ['logs', 'aa', 'certain', 'b.log'],
        ['logs', 'bb', 'likely', 'a.bb'],
        ['tables', 'tt', 'no', undefined],
        ['tables', 'aa', 'no', undefined],
      ],
    );
  });
});

describe('everyGroup', () => {
  it('divides a directory among the dialects that read its files', async () => {
    const set = directory({ '1.log': 'aa', '2.tt': 'tt', '3.log': 'bb', '4.log': 'aa', LOCK: '' });
    const groups = await everyGroup(families, set);
    expect(groups.map(({ dialect: d, files }) => [d.id, ...files.map(({ name }) => name)])).toEqual(
      [
        ['aa', '1.log', '4.log'],
        ['bb', '3.log'],
        ['tt', '2.tt'],
      ],
    );
    expect(await everyGroup(families, directory({ LOCK: '' }))).toEqual([]);
  });
});

describe('the built-in dialects', () => {
  it.each(['clean', 'bad-crc', 'bad-length', 'spliced', 'torn-tail'])(
    'know v1 %s',
    async (name) => {
      const set = memorySet(fixtureFiles(`wal/v1/${name}`));
      const found = await identify(await loadFamilies(), set);
      expect(found).toMatchObject({
        family: { id: 'wal' },
        dialect: { id: 'v1' },
        detection: { confidence: 'certain' },
      });
    },
  );
});

describe('the list of built-in dialects', () => {
  it('is what the families say of themselves', async () => {
    const families = await loadFamilies();
    const said = families.map(({ id, dialects }) => [id, dialects.map((one) => one.id).sort()]);
    const listed = Object.entries(builtInDialects).map(([id, ids]) => [id, [...ids].sort()]);
    expect(said).toEqual(listed);
    const titles = (await loadFamilies(['btree', 'no such'])).map(({ id }) => id);
    expect(titles).toEqual(['btree']);
  });
});
