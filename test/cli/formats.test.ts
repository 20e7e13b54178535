import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFormatPage } from '../../src/cli/format-page.ts';
import { ddia, type ErrorAnswer, json, temporaryDirectory } from './run.ts';

const directory = temporaryDirectory();

interface Row {
  family: string;
  dialect: string;
  write: boolean;
  origin: string;
}

describe('formats', () => {
  it('lists what is known', () => {
    const { status, stdout, stderr } = ddia(['formats']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [head, ...rows] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^FAMILY +DIALECT +TITLE +FILE NAMES +WRITE +REPAIR +ORIGIN$/);
    const v1 = rows.find((row) => /^wal +v1 /.test(row));
    expect(v1).toMatch(/textbook write-ahead log.* 000001\.wal +yes +\S+ +built-in$/);
  });

  it('lists a family as JSON', () => {
    const { formats } = json<{ formats: Row[] }>(ddia(['formats', 'wal', '--json']));
    expect(formats.every(({ family }) => family === 'wal')).toBe(true);
    expect(formats).toContainEqual(
      expect.objectContaining({ dialect: 'v1', write: true, origin: 'built-in' }),
    );
  });

  it("prints a dialect's page, or else what it says of itself", () => {
    const ran = ddia(['formats', 'wal/v1', '--json']);
    expect(ran.status).toBe(0);
    const page = json<{ page: string | null; title: string; unchecked: string[] }>(ran);
    expect(page.title).toContain('textbook');
    expect(page.unchecked.length).toBeGreaterThan(0);
    const text = ddia(['formats', 'wal/v1']).stdout;
    if (page.page !== null) expect(text.trimEnd()).toBe(page.page.trimEnd());
    else expect(text).toContain('this layout cannot vouch for:');
  });

  it('refuses what is none', () => {
    const ran = ddia(['formats', 'wal/nope', '--json']);
    expect(ran.status).toBe(2);
    const { error } = json<ErrorAnswer>(ran);
    expect(error.code).toBe('unknown-dialect');
    expect(error.hint).toContain('wal/v1');
  });
});

describe('readFormatPage', () => {
  it('prefers what was built, takes the source, or finds nothing', () => {
    for (const [place, text] of [
      ['dist/formats/wal/a', 'built'],
      ['src/formats/wal/a', 'source'],
      ['src/formats/wal/b', 'source'],
    ] as const) {
      mkdirSync(join(directory, place), { recursive: true });
      writeFileSync(join(directory, place, 'FORMAT.md'), text);
    }
    const pages = ['a', 'b', 'c'].map((dialect) => readFormatPage(directory, 'wal', dialect));
    expect(pages).toEqual(['built', 'source', undefined]);
  });
});
