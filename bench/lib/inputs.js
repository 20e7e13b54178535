// What the benchmarks read: made when first asked for and kept in a directory between runs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output, program } from './measure.js';

export const bench = join(dirname(fileURLToPath(import.meta.url)), '..');
export const root = join(bench, '..');
export const MIB = 1024 * 1024;

/** The installed command, as a user runs it. */
export function ddia(args, options) {
  return program(process.execPath, [join(root, 'bin/run.js'), ...args], options);
}

export class Inputs {
  constructor(dir) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  /**
   * A path below the directory; `make` is given a name beside it, so that half a file never counts
   * as one.
   */
  made(name, make) {
    const path = join(this.dir, name);
    if (existsSync(path)) return path;
    process.stderr.write(`making ${path} …\n`);
    const part = `${path}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(dirname(part), { recursive: true });
    make(part);
    renameSync(part, path);
    return path;
  }

  /** A v1 log in one segment: keys of 16 bytes, `payload` bytes of key and value. */
  v1(bytes, payload) {
    const name = `v1-${bytes}-${payload}`;
    const path = this.made(name, (part) => {
      mkdirSync(part);
      this.#script('make-v1.js', join(part, '000001.wal'), bytes, payload);
    });
    const file = join(path, '000001.wal');
    const size = statSync(file).size;
    return { directory: path, file, bytes: size, records: size / (25 + payload) };
  }

  /** The same operations as v2. */
  v2(from) {
    const path = this.made(`${from.directory.slice(this.dir.length + 1)}-v2`, (part) => {
      output(ddia(['wal', 'upgrade', from.directory, '--out', part]));
    });
    return { directory: path, ...this.verified(path, from.records) };
  }

  /**
   * Runs verify once for what it says of a clean log: bytes and records, which must be `expected`.
   */
  verified(path, expected) {
    const { clean, results } = JSON.parse(output(ddia(['wal', 'verify', path, '--json'])));
    const { bytes, records } = results[0].stats;
    if (!clean || records !== expected) {
      throw new Error(`${path}: ${records} records, clean: ${clean}; expected ${expected}, clean`);
    }
    return { bytes, records };
  }

  /** One intact record and a stretch without any. */
  search(bytes, kind, claim = MIB) {
    const name = `search-${bytes}-${kind}${kind === 'near-misses' ? `-${claim}` : ''}.wal`;
    return this.made(name, (part) => this.#script('make-search.js', part, bytes, kind, claim));
  }

  /**
   * A log that RocksDB itself writes, a batch a put, keys of 16 bytes and values of 100. The
   * memtable is larger than all of it, so nothing is flushed and it stays one log.
   */
  rocksdb(records) {
    const path = this.made(`rocksdb-${records}.log`, (part) => {
      const db = join(this.dir, 'rocksdb.part');
      rmSync(db, { recursive: true, force: true });
      const lines = [];
      for (let i = 0; i < records; i++) {
        const filler = String.fromCharCode(97 + (i % 26));
        lines.push(`key${String(i).padStart(13, '0')} ==> ${filler.repeat(100)}\n`);
      }
      execFileSync(
        'ldb',
        [`--db=${db}`, 'load', '--create_if_missing', '--write_buffer_size=1073741824'],
        {
          input: lines.join(''),
          stdio: ['pipe', 'ignore', 'inherit'],
        },
      );
      renameSync(join(db, '000004.log'), part);
      rmSync(db, { recursive: true });
    });
    return { path, ...this.verified(path, records) };
  }

  /** A container that avsc writes. */
  avro(codec, bytes) {
    const name = `avro-${codec}-${bytes}.avro`;
    return this.made(name, (part) => this.#script('make-avro.js', part, codec, bytes));
  }

  #script(name, ...args) {
    execFileSync(process.execPath, [join(bench, name), ...args.map(String)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }
}
