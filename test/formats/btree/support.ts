/** Files of pages in memory: checked, scanned, repaired. */
import { createHash } from 'node:crypto';
import { btree } from '../../../src/formats/btree/index.ts';
import type { BtreeDialect, BtreeOpened } from '../../../src/formats/btree/model.ts';
import { printWithTree } from '../../../src/formats/btree/print.ts';
import { type ScanOptions, scanTrees } from '../../../src/formats/btree/scan.ts';
import { bytesValue } from '../../../src/formats/bytes/value.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import {
  DEFAULT_LIMITS,
  type Finding,
  type RecordSink,
  type RepairPlan,
  type SalvageReport,
  type Span,
} from '../../../src/formats/format.ts';
import { memorySet } from '../../support/memory.ts';

export type Files = Record<string, Uint8Array>;

export function opened(dialect: BtreeDialect, files: Files): BtreeOpened {
  const set = memorySet(files);
  return { set, dialect, files: btree.select(set, dialect) };
}

/** One file of any name, as a PATH that is a file gives it; `more` lies beside it. */
export function alone(
  dialect: BtreeDialect,
  name: string,
  bytes: Uint8Array,
  more: Files = {},
): BtreeOpened {
  const whole = memorySet({ [name]: bytes, ...more });
  const files = [{ name, size: bytes.length }];
  const set = { ...whole, isDirectory: false, files, siblings: whole.files };
  return { set, dialect, files };
}

export const contextOf = (options: Record<string, unknown> = {}) => ({
  limits: DEFAULT_LIMITS,
  options,
});

export function verify(input: BtreeOpened, options: Record<string, unknown> = {}) {
  return btree.verify(input, contextOf(options));
}

export async function codes(
  input: BtreeOpened,
  options: Record<string, unknown> = {},
): Promise<string[]> {
  const { findings } = await verify(input, options);
  return [...new Set(findings.filter((f) => f.severity !== 'info').map(({ code }) => code))].sort();
}

export interface Row {
  tree: string;
  key: unknown;
  value: unknown;
}

class RowSink implements RecordSink {
  readonly rows: Row[] = [];
  #row: Record<string, unknown> = {};
  begin(): void {
    this.#row = {};
  }
  word(name: string, value: string): void {
    this.#row[name] = value;
  }
  text(name: string, value: string): void {
    this.#row[name] = value;
  }
  integer(name: string, value: number): void {
    this.#row[name] = value;
  }
  integer64(name: string, high: number, low: number): void {
    this.#row[name] = high * 2 ** 32 + low;
  }
  bytes(name: string, _kind: string, source: Uint8Array, start: number, end: number): void {
    this.#row[name] = bytesValue(source, start, end);
  }
  time(name: string, seconds: number): void {
    this.#row[name] = seconds;
  }
  flag(name: string, value: boolean): void {
    this.#row[name] = value;
  }
  json(name: string, value: unknown): void {
    this.#row[name] = value;
  }
  end(): void {
    this.rows.push(this.#row as unknown as Row);
  }
}

export async function scan(
  input: BtreeOpened,
  options: ScanOptions = {},
): Promise<{ rows: Row[]; damage: Finding[] }> {
  const sink = new RowSink();
  const damage: Finding[] = [];
  await scanTrees(
    input,
    { print: printWithTree, ...options },
    { ...contextOf(), set: input.set },
    sink,
    (finding) => damage.push(finding),
  );
  return { rows: sink.rows, damage };
}

/** What a salvage writes, a row a line. */
export async function salvageRows(
  input: BtreeOpened,
): Promise<{ rows: Row[]; report: SalvageReport }> {
  const sink = new RowSink();
  const report = await btree.salvage!(input, contextOf(), { to: 'ndjson', sink });
  return { rows: sink.rows, report };
}

/** Faults of the layout: bytes that belong to no field, or to two. */
export async function layoutFaults(input: BtreeOpened): Promise<string[]> {
  const { name, size = 0 } = input.files[0]!;
  const spans: Span[] = [];
  await btree.layout(input, input.set.open(name), contextOf(), (span) => {
    spans.push(span);
    return true;
  });
  return coverageFaults(spans, 0, size);
}

export async function plan(input: BtreeOpened): Promise<RepairPlan> {
  const body = await btree.planRepair!(input, { mend: false }, contextOf());
  return { ...body, inputs: [] };
}

/** The files that a repair writes. */
export async function repaired(input: BtreeOpened, made?: RepairPlan): Promise<Files> {
  const files: Files = {};
  const carried = made ?? (await plan(input));
  await btree.applyRepair!(input, carried, contextOf(), {
    create(name) {
      const parts: Uint8Array[] = [];
      return {
        write: (bytes, start, end) => parts.push(bytes.slice(start, end)),
        finish: () => {
          files[name] = new Uint8Array(Buffer.concat(parts));
        },
      };
    },
  });
  return files;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
