// A result never takes the place of what it is made from, whatever the command and --force.
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ddia, root, temporaryDirectory } from './run.ts';

const directory = temporaryDirectory();

function contents(path: string): Record<string, string> {
  const names = readdirSync(path).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(path, name), 'base64')]));
}

describe('--out over the input, with --force', () => {
  it.each([
    ['avro/ocf/users-null.avro', ['avro', 'recodec', '--codec', 'deflate']],
    ['avro/ocf/users-null.avro', ['avro', 'concat']],
    ['avro/ocf/users-null.avro', ['avro', 'repair']],
    ['btree/sqlite/clean.db', ['btree', 'repair']],
  ])('%s, a file: %j is refused, and nothing is touched', (fixture, [family, verb, ...flags]) => {
    const path = join(directory, `${family}-${verb}`);
    cpSync(join(root, 'fixtures', fixture), path);
    const before = readFileSync(path);
    const { status, stderr } = ddia([family!, verb!, path, ...flags, '--out', path, '--force']);
    expect(stderr).toContain('is what is read');
    expect(status).toBe(3);
    expect(readFileSync(path)).toEqual(before);
  });

  it.each([
    ['wal/v1/clean', ['wal', 'upgrade']],
    ['bitcask/hash-v1/clean', ['bitcask', 'upgrade']],
    ['bitcask/hash-v1/clean', ['bitcask', 'merge']],
    ['sstable/v1/clean', ['sstable', 'upgrade']],
    ['sstable/v1/clean', ['sstable', 'compact']],
    ['wal/v1/bad-crc', ['wal', 'repair']],
  ])('%s: %j is refused, and nothing is touched', (fixture, command) => {
    const path = join(directory, command.join('-'));
    cpSync(join(root, 'fixtures', fixture), path, { recursive: true });
    const before = contents(path);
    const { status, stderr } = ddia([...command, path, '--out', path, '--force']);
    expect(stderr).toContain('is what is read');
    expect(status).toBe(3);
    expect(contents(path)).toEqual(before);
  });
});
