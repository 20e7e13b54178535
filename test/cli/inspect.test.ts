import { spawnSync } from 'node:child_process';
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
import { KeptSource } from '../../src/cli/kept-source.ts';
import { coverageFaults } from '../../src/formats/coverage.ts';
import type { Span } from '../../src/formats/format.ts';
import { MemorySource } from '../support/memory.ts';
import {
  ddia,
  type ErrorAnswer,
  environment,
  fixturesStayTheSame,
  json,
  root,
  temporaryDirectory,
} from './run.ts';

fixturesStayTheSame();
const directory = temporaryDirectory();
const CLEAN = 'fixtures/wal/v1/clean';

interface FileLayout {
  file: string;
  size: number;
  spans: Span[];
}

/** A long log: the clean segments over and over. */
function longLog(times: number): string {
  const path = join(directory, `long-${times}.wal`);
  const parts = [1, 2, 3].map((n) => readFileSync(join(root, CLEAN, `00000${n}.wal`)));
  writeFileSync(path, Buffer.concat(Array.from({ length: times }, () => parts).flat()));
  return path;
}

describe('inspect, for people', () => {
  it('shows a record with every byte and its field', () => {
    expect(ddia(['inspect', CLEAN, '--record', '19'])).toEqual({
      status: 0,
      stdout: `000003.wal: wal v1, 122 bytes
record 19 @ 50 +36 = 19
  00000032  20 00 00 00                                      | ...|              length = 32
  00000036  40 ba 64 41                                      |@.dA|              crc = 4164ba40
  0000003a  13 00 00 00 00 00 00 00                          |........|          seq = 19
  00000042  01                                               |.|                 op = put
  00000043  08 00 00 00                                      |....|              key_length = 8
  00000047  d0 ba d0 bb d1 8e d1 87                          |........|          key = "ключ"
  0000004f  03 00 00 00                                      |....|              value_length = 3
  00000053  e5 80 a4                                         |...|               value = "値"
`,
      stderr: '',
    });
  });

  it('marks damage, cuts long fields, and ends with 1', () => {
    const ran = ddia([
      'inspect',
      'fixtures/wal/v1/bad-crc/000001.wal',
      '--offset',
      '300',
      '--length',
      '1',
    ]);
    expect(ran).toMatchObject({ status: 1, stderr: '' });
    const rows = ran.stdout.split('\n');
    expect(rows[0]).toBe('000001.wal: wal v1, 944 bytes');
    expect(rows[1]).toMatch(/^damaged @ 292 \+57 \[crc-mismatch\]: /);
    expect(rows[2]).toBe(
      '  00000124  35 00 00 00 f5 de 31 c1 06 00 00 00 00 00 00 00  |5.....1.........|',
    );
    const long = join(directory, 'zeros.wal');
    writeFileSync(long, new Uint8Array(100));
    const cut = ddia(['inspect', long, '--dialect', 'wal/v1']);
    expect(cut.stdout.split('\n').slice(-2)).toEqual([
      '            … 52 bytes left out; --full prints them',
      '',
    ]);
    expect(cut.status).toBe(1);
  });

  it('marks the field that holds a byte', () => {
    const ran = ddia(['inspect', `${CLEAN}/000001.wal`, '--at', '0xd1']);
    const marked = ran.stdout.split('\n').filter((row) => row.includes('<-'));
    expect(marked).toHaveLength(1);
    expect(marked[0]).toMatch(/ {2}value = hex:f716ce.*… {2}<- byte 209$/);
    expect(ran.stdout).toContain('record 4 @ 148 +71 = 4\n');
  });

  it('reads standard input once', () => {
    const input = readFileSync(join(root, CLEAN, '000001.wal'));
    const piped = ddia(['inspect', '-'], { input });
    const file = ddia(['inspect', `${CLEAN}/000001.wal`]);
    const body = (text: string) => text.slice(text.indexOf('\n'));
    expect(body(piped.stdout)).toBe(body(file.stdout));
    expect(piped.status).toBe(0);
  });

  it('ends quietly when the reader has enough', () => {
    const command = `"$NODE" bin/run.js inspect "$LOG" | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], {
      cwd: root,
      encoding: 'utf8',
      env: environment({ NODE: process.execPath, LOG: longLog(100) }),
    });
    expect(stdout).toBe('long-100.wal: wal v1, 94400 bytes\n0\n');
    expect(stderr).toBe('');
  });

  it('shows the front of a file that is far too large to read', () => {
    const huge = join(directory, 'huge.wal');
    copyFileSync(join(root, CLEAN, '000001.wal'), huge);
    const fd = openSync(huge, 'r+');
    ftruncateSync(fd, 2 ** 40);
    closeSync(fd);
    const ran = ddia(['inspect', huge, '--limit', '2', '--depth', '0']);
    expect(ran).toEqual({
      status: 0,
      stdout:
        'huge.wal: wal v1, 1099511627776 bytes\nrecord 1 @ 0 +46 = 1\nrecord 2 @ 46 +44 = 2\n',
      stderr: '',
    });
  });
});

describe('inspect --json', () => {
  it('is one document in which every byte belongs to one field', () => {
    const ran = ddia(['inspect', CLEAN, '--json']);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    const { path, files } = json<{ path: string; files: FileLayout[] }>(ran);
    expect(path).toBe(CLEAN);
    expect(files.map(({ file }) => file)).toEqual(['000001.wal', '000002.wal', '000003.wal']);
    for (const { size, spans } of files) expect(coverageFaults(spans, 0, size)).toEqual([]);
    const expected = JSON.parse(readFileSync(join(root, CLEAN, 'expected.json'), 'utf8')) as {
      records: unknown[];
    };
    const told = files.flatMap(({ spans }) => spans).map(({ children }) => fields(children!));
    expect(told).toEqual(expected.records);
  });

  it.each(['bad-crc', 'bad-length', 'spliced', 'torn-tail'])('accounts for all of %s', (name) => {
    const ran = ddia(['inspect', `fixtures/wal/v1/${name}/000001.wal`, '--json']);
    const { size, spans } = json<FileLayout>(ran);
    expect(coverageFaults(spans, 0, size)).toEqual([]);
    expect(ran.status).toBe(name === 'spliced' ? 0 : 1);
  });

  it('is a whole document of an empty file, and of a stream', () => {
    const empty = join(directory, 'empty.wal');
    writeFileSync(empty, '');
    const layout = json<FileLayout>(ddia(['inspect', empty, '--json', '--dialect', 'wal/v1']));
    expect(layout).toMatchObject({ size: 0, spans: [] });
    const input = readFileSync(join(root, CLEAN, '000003.wal'));
    const piped = json<FileLayout>(ddia(['inspect', '-', '--json', '--depth', '0'], { input }));
    expect(piped).toMatchObject({ file: '-', size: 122 });
    expect(piped.spans.map(({ length }) => length)).toEqual([25, 25, 36, 36]);
  });

  it('does not hold what it has written', () => {
    const env = { NODE_OPTIONS: '--max-old-space-size=24' };
    const ran = ddia(['inspect', longLog(1000), '--json'], { env });
    expect(ran.status).toBe(0);
    expect(json<FileLayout>(ran).spans).toHaveLength(20_000);
  });

  it('gives a single span, with the leaf that holds a byte', () => {
    const ran = ddia(['inspect', `${CLEAN}/000001.wal`, '--json', '--at', '16']);
    expect(json(ran)).toMatchObject({
      file: '000001.wal',
      record: 1,
      name: 'record',
      offset: 0,
      length: 46,
      at: 16,
      leaf: { name: 'op', offset: 16, length: 1, value: 'put' },
    });
  });
});

function fields(spans: readonly Span[]): Record<string, unknown> {
  const value = (name: string) => spans.find((span) => span.name === name)?.value;
  return { seq: Number(value('seq')), op: value('op'), key: value('key'), value: value('value') };
}

describe('a stream that is kept for a while', () => {
  it('can be read again behind the last release, as long as it is not too much', async () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    const kept = new KeptSource(new MemorySource('-', bytes, 10), 40);
    const buffer = new Uint8Array(10);
    const again = (position: number, length: number): number[] => {
      const target = new Uint8Array(length);
      return [...target.subarray(0, kept.again(target, 0, length, position))];
    };
    for (let at = 0; at < 30; at += 10) await kept.read(buffer, 0, 10, at);
    expect(again(8, 4)).toEqual([8, 9, 10, 11]);
    expect(again(28, 4)).toEqual([28, 29]);
    kept.release(15);
    expect(again(8, 4)).toEqual([]);
    expect(again(15, 2)).toEqual([15, 16]);
    for (let at = 30; at < 100; at += 10) await kept.read(buffer, 0, 10, at);
    expect(again(15, 2)).toEqual([]);
    expect(again(60, 2)).toEqual([60, 61]);
  });
});

describe('inspect refuses', () => {
  it.each([
    [['--record', '21'], 3, 'no-such-record', `record 21 is past the last: ${CLEAN} has 20`],
    [['--at', '0'], 2, 'needs-one-file', 'an offset is a place in one file'],
    [['--at', '5', '--record', '1'], 2, 'usage', 'exclude each other'],
    [['--offset', 'x'], 2, 'bad-number', '--offset: x is no offset'],
  ])('%j', (flags, status, code, message) => {
    const ran = ddia(['inspect', CLEAN, '--json', ...flags]);
    expect(ran).toMatchObject({ status, stderr: '' });
    const { error } = json<ErrorAnswer>(ran);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('an offset past the end', () => {
    expect(ddia(['inspect', `${CLEAN}/000003.wal`, '--at', '122'])).toEqual({
      status: 3,
      stdout: '',
      stderr:
        'error: offset 122 is past the end: 000003.wal has 122 bytes\n  the last byte is at 121\n',
    });
  });
});
