/** Erlang Bitcask itself: what it writes is read, and what we write it opens. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { readLive } from '../../src/formats/bitcask/content.ts';
import { selectFiles } from '../../src/formats/bitcask/files.ts';
import { type BitcaskOpened, HintEntry } from '../../src/formats/bitcask/model.ts';
import { riak } from '../../src/formats/bitcask/riak/index.ts';
import { verifyStore } from '../../src/formats/bitcask/verify.ts';
import { DEFAULT_LIMITS } from '../../src/formats/format.ts';
import { openFileSet } from '../../src/io/file-set.ts';
import { ddia, lines as linesOf } from '../cli/run.ts';
import { describePeer, needs, RandomBytes, script, told, workspace } from './peers.ts';

const FILE_BYTES = 20_000;

type Content = Map<string, string>;

function erlang(what: string, directory: string, input: readonly string[] = []): string[] {
  const size = what === 'write' ? [String(FILE_BYTES)] : [];
  const args = [script('bitcask.escript'), what, directory, ...size];
  const { stdout, stderr } = told('escript', args, `${input.join('\n')}\n`);
  complaints = [...stderr.matchAll(/Hintfile '.*?(\d+\.bitcask\.hint)' invalid/g)].map(
    ([, n]) => n!,
  );
  return stdout.split('\n').filter((line) => line !== '');
}

/** Hint files that Bitcask would not read, when it ran last. */
let complaints: string[] = [];

/** What Bitcask says is in a store. */
function contentOf(directory: string): Content {
  return new Map(erlang('read', directory).map((line) => line.split(' ') as [string, string]));
}

function opened(directory: string): BitcaskOpened {
  const set = openFileSet(directory);
  return { set, dialect: riak, files: selectFiles(set, riak) };
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex') || '-';
const bytesOf = (hex: string): Buffer => Buffer.from(hex === '-' ? '' : hex, 'hex');

/** What we say is in it. */
async function ourContentOf(directory: string): Promise<Content> {
  const input = opened(directory);
  const content: Content = new Map();
  const context = { limits: DEFAULT_LIMITS, set: input.set };
  const index = await readLive(input, context, (finding) => {
    throw new Error(finding.message);
  });
  const files = input.files.filter(({ name }) => riak.dataFile(name) !== undefined);
  const { keys } = index;
  keys.forEach((entry) => {
    if (index.isDeleted(entry)) return;
    const key = keys.key(entry);
    const bytes = readFileSync(join(directory, files[keys.file(entry)]!.name));
    const end = keys.position(entry) + keys.length(entry);
    content.set(hexOf(key), hexOf(bytes.subarray(keys.position(entry) + 14 + key.length, end)));
  });
  return content;
}

/** All that is wrong; a clock that runs backwards is only told of. */
async function findingsOf(directory: string): Promise<string[]> {
  const input = opened(directory);
  const { findings } = await verifyStore(input, { limits: DEFAULT_LIMITS, set: input.set });
  const wrong = findings.filter(({ severity }) => severity !== 'info');
  return wrong.map(({ code, file }) => `${code} ${file}`);
}

/** Without the values, which can be long. */
function expectSame(actual: Content, expected: Content): void {
  const keys = new Set([...actual.keys(), ...expected.keys()]);
  const different = [...keys].filter((key) => actual.get(key) !== expected.get(key));
  expect(different).toEqual([]);
}

interface Operation {
  key: string;
  value: string | undefined;
}

function randomOperations(seed: number, count: number): Operation[] {
  const random = new RandomBytes(seed);
  return Array.from({ length: count }, () => {
    const key = random.below(300) === 0 ? '-' : random.key();
    const value =
      random.hex(random.below(20) === 0 ? random.valueBytes() : random.below(80)) || '-';
    return { key, value: random.below(5) === 0 ? undefined : value };
  });
}

const lineOf = ({ key, value }: Operation): string =>
  value === undefined ? `delete ${key}` : `put ${key} ${value}`;

function stateOf(operations: readonly Operation[]): Content {
  const state: Content = new Map();
  for (const { key, value } of operations) {
    if (value === undefined) state.delete(key);
    else state.set(key, value);
  }
  return state;
}

const timeOf = (index: number): number => 1_700_000_000 + index;

/** Writes a store of several files as our encoder makes them. */
function writeOurs(directory: string, operations: readonly Operation[], leaveOut = -1): void {
  mkdirSync(directory);
  const writer = riak.encoder!.open(0n);
  const entry = new HintEntry();
  for (let done = 0, number = 1; done < operations.length; number++) {
    const data = [writer.data(number, false).slice()];
    const hint: Uint8Array[] = [];
    const entries: { position: number; size: number; timestamp: number; operation: Operation }[] =
      [];
    for (let offset = 0; done < operations.length && offset < FILE_BYTES; done++) {
      const operation = operations[done]!;
      const { key, value } = operation;
      const put = {
        key: bytesOf(key),
        value: value === undefined ? undefined : bytesOf(value),
        ...{ timestamp: timeOf(done), seq: -1, expires: 0, continued: false, unsynced: 0 },
      };
      const bytes = writer.record(put, offset).slice();
      data.push(bytes);
      const [position, size] = [offset, bytes.length];
      if (done !== leaveOut) entries.push({ position, size, timestamp: timeOf(done), operation });
      offset += size;
    }
    hint.push(writer.hint(number, 0, entries.length).slice());
    for (const { operation, ...told } of entries) {
      entry.bytes = bytesOf(operation.key);
      entry.keyEnd = entry.bytes.length;
      entry.deleted = operation.value === undefined;
      hint.push(writer.entry(Object.assign(entry, told)).slice());
    }
    hint.push(writer.hintEnd().slice());
    writeFileSync(join(directory, riak.dataName(number)), Buffer.concat(data));
    writeFileSync(join(directory, riak.hintName(number)), Buffer.concat(hint));
  }
}

describePeer('Erlang Bitcask', () => {
  const known = 'halt(case code:which(bitcask) of non_existing -> 1; _ -> 0 end).';
  needs('erl', ['-noshell', '-eval', known], 'erlang-bitcask');
  const at = workspace();
  const operations = randomOperations(1, 2000);
  const lines = operations.map(lineOf);

  beforeAll(() => {
    const some = [...lines.slice(0, 1000), 'reopen', ...lines.slice(1000)];
    erlang('write', at.path('plain'), some);
  });

  it('writes a store that reads the same here, hints and all', async () => {
    const store = at.path('plain');
    expect(readdirSync(store).length).toBeGreaterThan(10);
    expect(await findingsOf(store)).toEqual([]);
    expectSame(contentOf(store), stateOf(operations));
    expect(complaints).toEqual([]);
    expectSame(await ourContentOf(store), stateOf(operations));
  });

  it('merges, and marks what it merged', async () => {
    const store = at.path('merged');
    const some = [...lines.slice(0, 700), 'merge', ...lines.slice(700, 1400)];
    erlang('write', store, [...some, 'merge 1.bitcask.data 20.bitcask.data', ...lines.slice(1400)]);
    const findings = await findingsOf(store);
    expect(findings.filter((finding) => finding.startsWith('leftover-file')).length).toBe(
      findings.length,
    );
    expectSame(await ourContentOf(store), stateOf(operations));
    expectSame(contentOf(store), stateOf(operations));
  });

  it('leaves a hint without its CRC entry when it crashes', async () => {
    const store = at.path('crashed');
    erlang('write', store, [...lines, 'crash']);
    const hints = readdirSync(store).filter((name) => name.endsWith('.hint'));
    const last = riak.hintName(hints.length);
    expect(await findingsOf(store)).toEqual([`torn-tail ${last}`]);
    expectSame(await ourContentOf(store), stateOf(operations));
    // A lock that nobody holds keeps the file that was being written from being read.
    rmSync(join(store, 'bitcask.write.lock'));
    expectSame(contentOf(store), stateOf(operations));
    expect(complaints).toEqual([last]);
  });

  it('brings back what is deleted when it merges beside a hint that is not whole', () => {
    const deleted = 'aa';
    const first = Array.from(
      { length: 300 },
      (_, i) => `put ${i.toString(16).padStart(4, '0')} ${'00'.repeat(60)}`,
    );
    for (const hint of ['whole', 'torn', 'gone']) {
      const store = at.path(`resurrection-${hint}`);
      erlang('write', store, [`put ${deleted} 01`, ...first]);
      erlang('write', store, [`delete ${deleted}`]);
      const path = join(store, riak.hintName(1));
      if (hint === 'torn') writeFileSync(path, readFileSync(path).subarray(0, -18));
      if (hint === 'gone') rmSync(path);
      expect(contentOf(store).has(deleted)).toBe(false);
      const numbers = readdirSync(store).flatMap((name) => riak.dataFile(name) ?? []);
      erlang('write', store, [`merge ${riak.dataName(Math.max(...numbers))}`]);
      expect(contentOf(store).has(deleted), hint).toBe(hint !== 'whole');
    }
  });

  it('opens what we write, with the hints and without them', async () => {
    const store = at.path('ours');
    writeOurs(store, operations);
    expect(await findingsOf(store)).toEqual([]);
    expectSame(contentOf(store), stateOf(operations));
    expect(complaints).toEqual([]);
    const bare = at.path('ours-without-hints');
    mkdirSync(bare);
    for (const name of readdirSync(store).filter((file) => file.endsWith('.data'))) {
      copyFileSync(join(store, name), join(bare, name));
    }
    expectSame(contentOf(bare), stateOf(operations));
  });

  it('believes our hints: a key that they leave out is not there', async () => {
    const store = at.path('lacking');
    const state = stateOf(operations);
    const last = operations.findLastIndex(({ key, value }, i) => {
      const first = operations.findIndex((one) => one.key === key);
      return first === i && value !== undefined && state.get(key) === value;
    });
    expect(last).toBeGreaterThan(0);
    writeOurs(store, operations, last);
    state.delete(operations[last]!.key);
    expectSame(contentOf(store), state);
    expect(complaints).toEqual([]);
    const [finding, ...more] = await findingsOf(store);
    expect(finding).toContain('hint-missing');
    expect(more).toEqual([]);
  });

  it('goes on with what we write: puts, deletes and merges', async () => {
    const store = at.path('gone-on');
    writeOurs(store, operations.slice(0, 1000));
    const rest = lines.slice(1000);
    erlang('write', store, [...rest.slice(0, 500), 'merge', ...rest.slice(500)]);
    expectSame(contentOf(store), stateOf(operations));
    expectSame(await ourContentOf(store), stateOf(operations));
    const left = await findingsOf(store);
    expect(left.filter((finding) => !finding.startsWith('leftover-file'))).toEqual([]);
  });

  it('has the content that our commands show, import and merge', () => {
    const store = at.path('plain');
    const exported = ddia(['bitcask', 'export', store]);
    expect(exported.status).toBe(0);
    expect(linesOf(exported).length).toBe(stateOf(operations).size);
    const imported = at.path('imported');
    const importing = ['bitcask', 'import', imported, '--dialect', 'riak', '--file-bytes', '9000'];
    expect(ddia(importing, { input: exported.stdout }).status).toBe(0);
    expectSame(contentOf(imported), stateOf(operations));
    const merged = at.path('merged-by-us');
    expect(ddia(['bitcask', 'merge', store, '--out', merged]).status).toBe(0);
    expect(complaints).toEqual([]);
    expectSame(contentOf(merged), stateOf(operations));
    expect(complaints).toEqual([]);
    expect(ddia(['diff', store, merged]).status).toBe(0);
    expect(ddia(['bitcask', 'verify', merged]).status).toBe(0);
  });

  it('opens what put and delete append to its own store', () => {
    const store = at.path('appended');
    erlang('write', store, lines.slice(0, 200));
    expect(ddia(['bitcask', 'put', store, 'hex:c0ffee', 'hex:00ff']).status).toBe(0);
    const state = stateOf(operations.slice(0, 200));
    const gone = [...state.keys()].find((key) => key !== '-')!;
    expect(ddia(['bitcask', 'delete', store, `hex:${gone}`]).status).toBe(0);
    state.set('c0ffee', '00ff');
    state.delete(gone);
    expectSame(contentOf(store), state);
  });
});
