import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ddia,
  type ErrorAnswer,
  fixturesStayTheSame,
  json,
  root,
  temporaryDirectory,
} from './run.ts';

fixturesStayTheSame();
const directory = temporaryDirectory();

interface Answer {
  results: {
    path: string;
    family?: string;
    dialect?: string;
    confidence?: string;
    files?: string[];
    error?: { code: string };
    answers?: { family: string; dialect: string; confidence: string; reason: string }[];
  }[];
}

describe('identify', () => {
  it('says what a directory is, and why', () => {
    expect(ddia(['identify', 'fixtures/wal/v1/clean'])).toEqual({
      status: 0,
      stdout:
        'fixtures/wal/v1/clean: wal v1, certain: the CRC-32 of the first record holds\n' +
        '  3 files: 000001.wal, 000002.wal, 000003.wal\n',
      stderr: '',
    });
  });

  it('looks at standard input', () => {
    const input = readFileSync(join(root, 'fixtures/wal/v1/clean/000001.wal'));
    const ran = ddia(['identify', '-'], { input });
    expect(ran.stdout).toBe('-: wal v1, certain: the CRC-32 of the first record holds\n');
    expect(ran.status).toBe(0);
  });

  it('tells all of several paths, and ends with 3 for the one that is nothing known', () => {
    writeFileSync(join(directory, 'notes.txt'), 'nothing that anybody knows\n');
    writeFileSync(join(directory, 'empty'), '');
    const huge = join(directory, 'huge.wal');
    copyFileSync(join(root, 'fixtures/wal/v1/clean/000001.wal'), huge);
    const fd = openSync(huge, 'r+');
    ftruncateSync(fd, 8 * 1024 ** 3);
    closeSync(fd);
    const paths = ['notes.txt', 'empty', 'missing', 'huge.wal'].map((name) =>
      join(directory, name),
    );
    const ran = ddia(['identify', ...paths, '--json', '--all']);
    expect(ran).toMatchObject({ status: 3, stderr: '' });
    const { results } = json<Answer>(ran);
    expect(results.map(({ error, dialect }) => error?.code ?? dialect)).toEqual([
      'unknown-format',
      'empty-file',
      'not-found',
      'v1',
    ]);
    const answer = (index: number) =>
      results[index]!.answers?.find(({ family, dialect }) => family === 'wal' && dialect === 'v1');
    expect(answer(0)).toEqual({ family: 'wal', dialect: 'v1', confidence: 'no', reason: '' });
    expect(answer(3)).toMatchObject({ confidence: 'certain' });
  });

  it('ends with an error when the only path is nothing known', () => {
    const ran = ddia(['identify', 'package.json', '--json']);
    expect(ran.status).toBe(3);
    expect(json<ErrorAnswer>(ran).error).toMatchObject({
      code: 'unknown-format',
      hint: 'name it with --dialect',
    });
    const missing = ddia(['identify', 'no/such/file']);
    expect(missing).toEqual({
      status: 3,
      stdout: '',
      stderr: 'error: no such file or directory: no/such/file\n',
    });
  });
});
