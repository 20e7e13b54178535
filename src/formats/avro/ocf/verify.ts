/** verify, dump and stat of containers: each of them one scan. */

import { Findings } from '../../findings.ts';
import type {
  DumpOptions,
  DumpResult,
  Finding,
  Opened,
  RecordSink,
  ScanContext,
  VerifyResult,
} from '../../format.ts';
import { BlockData, type DatumReader } from './block-data.ts';
import { checkingReader, ValueReading } from './readers.ts';
import { type Block, type Damage, scanContainer } from './scan.ts';

/** The finding alone, without what only the scan's consumers need. */
export function findingOf(damage: Damage): Finding {
  const { lost: _lost, mend: _mend, begun: _begun, ...finding } = damage;
  return finding;
}

export async function verifyContainers(input: Opened, context: ScanContext): Promise<VerifyResult> {
  const findings = new Findings(context.limits.findings);
  const stats = { files: input.files.length, bytes: 0, blocks: 0, records: 0 };
  for (const file of input.files) {
    const source = input.set.open(file.name);
    let data: BlockData | undefined;
    let reader: DatumReader | undefined;
    try {
      stats.bytes += await scanContainer(source, context, {
        async header(header) {
          data = BlockData.open(header, file.name, context.limits.recordBytes);
          reader = data && checkingReader(data.type);
        },
        block(block) {
          stats.blocks++;
          if (!data || !reader) {
            stats.records += block.count;
            return;
          }
          const outcome = data.read(block, reader);
          stats.records += outcome.read;
          for (const finding of outcome.findings) findings.add(finding);
        },
        damage: (damage) => findings.add(findingOf(damage)),
      });
    } finally {
      source.close?.();
    }
  }
  return {
    path: input.set.path,
    family: 'avro',
    dialect: input.dialect.id,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats,
    unchecked: input.dialect.unchecked,
    findings: findings.kept,
    counts: findings.counts,
  };
}

export async function dumpContainers(
  input: Opened,
  options: DumpOptions,
  context: ScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const findings = new Findings(0);
  const result = { records: 0, bytes: 0 };
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let skip = options.skip ?? 0;
  // Data have no keys, and what has no key is in no range of them.
  let stopped = limit <= 0 || Boolean(options.from || options.to || options.prefix);
  const damaged = (finding: Finding) => {
    if (stopped) return;
    findings.add(finding);
    onDamage(finding);
    if (options.stopAtDamage && finding.severity === 'error') stopped = true;
  };
  const print = (name: string, block: Block, index: number, value: unknown): boolean => {
    if (skip > 0) {
      skip--;
      return true;
    }
    sink.begin();
    sink.text('file', name);
    sink.integer('offset', block.offset);
    sink.integer('index', index);
    if (options.redact) {
      const bytes = Buffer.from(JSON.stringify(value), 'utf8');
      sink.bytes('value', 'value', bytes, 0, bytes.length);
    } else sink.json('value', value);
    sink.end();
    stopped = ++result.records >= limit;
    return !stopped;
  };
  for (const file of input.files) {
    if (stopped) break;
    const source = input.set.open(file.name);
    let data: BlockData | undefined;
    let reader: ValueReading | undefined;
    try {
      await scanContainer(source, context, {
        async header(header) {
          data = BlockData.open(header, file.name, context.limits.recordBytes);
          reader = data && new ValueReading(data.type);
        },
        block(block) {
          if (!data || !reader) return;
          result.bytes += block.length;
          const each = (index: number) => print(file.name, block, index, reader?.value);
          data.read(block, reader, each).findings.forEach(damaged);
        },
        damage: (damage) => damaged(findingOf(damage)),
        done: () => stopped,
      });
    } finally {
      source.close?.();
    }
  }
  return { ...result, damage: findings.total, verdict: findings.verdict };
}
