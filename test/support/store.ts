/** Stores in memory: written, read, checked and repaired by the family's own verbs. */
import { buildHints } from '../../src/formats/bitcask/apply-repair.ts';
import { storeFiles } from '../../src/formats/bitcask/files.ts';
import { bitcask } from '../../src/formats/bitcask/index.ts';
import type { BitcaskDialect, BitcaskOpened, BitcaskPut } from '../../src/formats/bitcask/model.ts';
import { type StoreWriteOptions, StoreWriter } from '../../src/formats/bitcask/write.ts';
import type { FileOutput } from '../../src/formats/file-output.ts';
import {
  type ContentOptions,
  DEFAULT_LIMITS,
  type DumpOptions,
  type Finding,
  type Limits,
  type RecordSink,
  type RepairOutput,
  type RepairPlan,
  type VerifyResult,
} from '../../src/formats/format.ts';
import { memorySet } from './memory.ts';

export type Files = Record<string, Uint8Array>;

export function openStore(files: Files, dialect: BitcaskDialect): BitcaskOpened {
  const set = memorySet(files);
  return { set, dialect, files: bitcask.select(set, dialect) };
}

export function contextOf(input: BitcaskOpened, limits: Partial<Limits> = {}) {
  return { limits: { ...DEFAULT_LIMITS, ...limits }, set: input.set };
}

export function memoryOutput(files: Files): FileOutput & RepairOutput {
  const parts = new Map<string, Uint8Array[]>();
  const create = (name: string) => {
    if (parts.has(name)) throw new Error(`${name} is written twice`);
    const written: Uint8Array[] = [];
    parts.set(name, written);
    return {
      write: (bytes: Uint8Array, start = 0, end = bytes.length) =>
        void written.push(bytes.slice(start, end)),
      finish: () => {
        files[name] = new Uint8Array(Buffer.concat(written));
      },
    };
  };
  let open: ReturnType<typeof create> | undefined;
  return {
    create,
    begin: (name) => {
      open = create(name);
    },
    write: (bytes) => open!.write(bytes),
    finish: () => open!.finish(),
  };
}

/** What a test says of a record; all else has defaults. */
export type Put = Partial<Omit<BitcaskPut, 'key' | 'value'>> & {
  key: string | Uint8Array;
  value?: string | Uint8Array | undefined;
};

const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === 'string' ? Buffer.from(value) : value;

const STORE_ID = 0x1122_3344_5566_7788n;

export function writeStore(
  dialect: BitcaskDialect,
  puts: readonly Put[],
  options: Partial<StoreWriteOptions> = {},
): Files {
  const files: Files = {};
  const all = { merged: false, storeId: STORE_ID, ...options };
  const writer = new StoreWriter(dialect, all, memoryOutput(files));
  puts.forEach((put, index) => {
    writer.put(whole(put, index));
  });
  writer.end();
  return files;
}

/** Each part in a data file of its own. */
export function writeParts(dialect: BitcaskDialect, ...parts: readonly (readonly Put[])[]): Files {
  const files: Files = {};
  const options = { merged: false, storeId: STORE_ID };
  const writer = new StoreWriter(dialect, options, memoryOutput(files));
  let index = 0;
  parts.forEach((part, file) => {
    writer.begin(file + 1);
    for (const put of part) writer.put(whole(put, index++));
  });
  writer.end();
  return files;
}

function whole({ key, value, ...more }: Put, index: number): BitcaskPut {
  return {
    timestamp: 1_700_000_000 + index,
    seq: index + 1,
    expires: 0,
    continued: false,
    unsynced: 0,
    ...more,
    key: bytesOf(key),
    value: value === undefined ? undefined : bytesOf(value),
  };
}

/** What a sink was told, one object a record. */
export type Line = Record<string, unknown>;

class LineSink implements RecordSink {
  readonly lines: Line[] = [];
  #line: Line = {};

  begin(): void {
    this.#line = {};
    this.lines.push(this.#line);
  }

  word(name: string, value: string): void {
    this.#line[name] = value;
  }

  text(name: string, value: string): void {
    this.#line[name] = value;
  }

  integer(name: string, value: number): void {
    this.#line[name] = value;
  }

  integer64(name: string, high: number, low: number): void {
    this.#line[name] = high * 2 ** 32 + low;
  }

  bytes(name: string, _kind: string, source: Uint8Array, start: number, end: number): void {
    this.#line[name] = Buffer.from(source.slice(start, end)).toString('latin1');
  }

  time(name: string, seconds: number): void {
    this.#line[name] = seconds;
  }

  flag(name: string, value: boolean): void {
    this.#line[name] = value;
  }

  json(name: string, value: unknown): void {
    this.#line[name] = value;
  }

  end(): void {}
}

export async function dumpOf(
  input: BitcaskOpened,
  options: DumpOptions = {},
): Promise<{ lines: Line[]; damage: Finding[] }> {
  const sink = new LineSink();
  const damage: Finding[] = [];
  const context = contextOf(input);
  await bitcask.dump(input, options, context, sink, (one) => void damage.push(one));
  return { lines: sink.lines, damage };
}

export async function scanOf(
  input: BitcaskOpened,
  options: ContentOptions = {},
  now?: number,
): Promise<Line[]> {
  const sink = new LineSink();
  await bitcask.content!(input, options, { ...contextOf(input), now }, sink, () => {});
  return sink.lines;
}

/** Live keys and values, as one character a byte. */
export async function contentOf(input: BitcaskOpened): Promise<Map<string, string>> {
  const lines = await scanOf(input);
  return new Map(lines.map(({ key, value }) => [key as string, value as string]));
}

export function verify(input: BitcaskOpened, limits?: Partial<Limits>): Promise<VerifyResult> {
  return bitcask.verify(input, contextOf(input, limits));
}

export async function planOf(input: BitcaskOpened, mend = false): Promise<RepairPlan> {
  const plan = await bitcask.planRepair!(input, { mend }, contextOf(input));
  return { ...plan, inputs: [] };
}

/** The files of a repair's result. */
export async function repaired(
  input: BitcaskOpened,
  mend = false,
): Promise<{ plan: RepairPlan; files: Files }> {
  const plan = await planOf(input, mend);
  const files: Files = {};
  await bitcask.applyRepair!(input, plan, contextOf(input), memoryOutput(files));
  return { plan, files };
}

/** With a hint file beside every data file, or all but the last. */
export async function withHints(
  files: Files,
  dialect: BitcaskDialect,
  last = false,
): Promise<Files> {
  const input = openStore(files, dialect);
  const { data } = storeFiles(input);
  const hinted = last ? data : data.slice(0, -1);
  const names = new Set(hinted.map(({ number = 0 }) => dialect.hintName(number)));
  const hints: Files = {};
  await buildHints(input, [], names, contextOf(input), memoryOutput(hints));
  return { ...files, ...hints };
}
