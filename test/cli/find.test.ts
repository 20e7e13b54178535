import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ddia, fixturesStayTheSame, lines, root, temporaryDirectory } from './run.ts';

fixturesStayTheSame();
const directory = temporaryDirectory();
const V1 = 'fixtures/wal/v1';

interface Place {
  path: string;
  file: string;
  offset: number;
  seq: number;
  op: string;
  key: string;
}

describe('find', () => {
  it('tells the places of a key', () => {
    expect(ddia(['find', 'user:003', `${V1}/clean`, '--value-format', 'size'])).toEqual({
      status: 0,
      stdout: `
fixtures/wal/v1/clean/000001.wal         148       71           4  put            <38 bytes>
fixtures/wal/v1/clean/000002.wal         268       33          13  delete         <0 bytes>
`.trimStart(),
      stderr: '',
    });
  });

  it('takes a key that is no text', () => {
    const hex = ddia(['find', 'hex:757365723a303033', `${V1}/clean`, '--json']);
    expect(lines<Place>(hex).map(({ seq, op }) => `${seq} ${op}`)).toEqual(['4 put', '13 delete']);
    expect(ddia(['find', 'hex:7', `${V1}/clean`])).toMatchObject({ status: 2, stdout: '' });
  });

  it('orders what several files have by age, and goes on past one that is nothing', () => {
    const paths = [3, 1, 2].map((n) => `${V1}/clean/00000${n}.wal`);
    const ran = ddia(['find', 'user:0', ...paths, 'package.json', '--prefix', '--json']);
    expect(ran.status).toBe(3);
    expect(ran.stderr).toContain('package.json');
    const found = lines<Place>(ran);
    expect(found.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(found[0]).toMatchObject({ path: paths[1], file: '000001.wal', key: 'user:000' });
  });

  it('does not take a longer key for the one, nor an empty key for all', () => {
    const ran = ddia(['find', 'user:00', `${V1}/clean`]);
    expect(ran).toEqual({ status: 1, stdout: '', stderr: 'not found: user:00\n' });
    const empty = lines<Place>(ddia(['find', '', `${V1}/clean`, '--json']));
    expect(new Set(empty.map(({ op }) => op))).toEqual(new Set(['commit', 'checkpoint']));
  });

  it('says where damage may hide it', () => {
    const ran = ddia(['find', 'user:005', `${V1}/bad-crc`]);
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toMatch(
      /^error: crc-mismatch fixtures\/wal\/v1\/bad-crc\/000001\.wal @ 292 \+57: /,
    );
  });

  it('leaves out what a directory holds besides, and reads a file with a long empty end', () => {
    const store = join(directory, 'store');
    mkdirSync(store);
    copyFileSync(join(root, V1, 'clean/000001.wal'), join(store, '000001.wal'));
    const fd = openSync(join(store, '000001.wal'), 'r+');
    ftruncateSync(fd, 32 * 1024 ** 2);
    closeSync(fd);
    writeFileSync(join(store, 'LOCK'), '');
    writeFileSync(join(store, 'notes.txt'), 'user:005');
    const ran = ddia(['find', 'user:005', store, '--json']);
    expect(lines<Place>(ran)).toMatchObject([{ path: store, file: '000001.wal', offset: 292 }]);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain('torn-tail');
  });

  it('refuses a path that is not there, or none', () => {
    expect(ddia(['find', 'k', 'no/such'])).toEqual({
      status: 3,
      stdout: '',
      stderr: 'error: no such file or directory: no/such\n',
    });
    expect(ddia(['find', 'k']).status).toBe(2);
  });
});
