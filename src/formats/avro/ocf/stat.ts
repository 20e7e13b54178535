/** stat of containers: blocks, codec, data, and what each field takes. */
import type { Opened, ScanContext } from '../../format.ts';
import type { WalkVisitor } from '../codec/walk.ts';
import { type AvroType, branchName } from '../schema/model.ts';
import { BlockData } from './block-data.ts';
import { Walking } from './readers.ts';
import { scanContainer } from './scan.ts';

interface Range {
  least: number;
  most: number;
}

/** Bytes by place in the schema; items of an array are one place, values of a map too. */
export class FieldSizes {
  readonly sizes = new Map<string, { bytes: number; values: number }>();
  readonly visitor: WalkVisitor;
  /** The place of each field that is open, and whether what is in it are its items. */
  readonly #open: { path: string; type: AvroType; offset: number }[] = [];

  constructor(root: AvroType) {
    const top = branchName(root);
    const place = (name: string): string => {
      const outer = this.#open.at(-1);
      if (!outer) return top;
      if (outer.type.kind === 'array')
        return name === 'count' || name === 'size' ? '' : `${outer.path}[]`;
      if (outer.type.kind === 'map') return name === 'value' ? `${outer.path}{}` : '';
      // A branch is the union's own place: what is asked is what the field takes.
      if (outer.type.kind === 'union') return name === 'branch' ? '' : outer.path;
      return `${outer.path}.${name}`;
    };
    const add = (path: string, bytes: number) => {
      const known = this.sizes.get(path);
      if (known) {
        known.bytes += bytes;
        known.values++;
      } else this.sizes.set(path, { bytes, values: 1 });
    };
    this.visitor = {
      begin: (name, type, offset) => {
        this.#open.push({ path: place(name), type, offset });
      },
      end: (offset) => {
        const { path, offset: start } = this.#open.pop()!;
        if (this.#open.at(-1)?.type.kind !== 'union') add(path, offset - start);
      },
      leaf: (name, start, end) => {
        const path = place(name);
        if (path !== '' && this.#open.at(-1)?.type.kind !== 'union') add(path, end - start);
      },
    };
  }

  /** After a datum that could not be walked to its end. */
  reset(): void {
    this.#open.length = 0;
  }
}

function widen(range: Range, value: number): void {
  range.least = Math.min(range.least, value);
  range.most = Math.max(range.most, value);
}

/** What holds others comes before them. */
function byPath([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

const none = (): Range => ({ least: Number.POSITIVE_INFINITY, most: 0 });
const shown = ({ least, most }: Range) => ({ least: Number.isFinite(least) ? least : 0, most });

export async function statContainers(
  input: Opened,
  context: ScanContext,
): Promise<Record<string, unknown>> {
  const codecs = new Set<string>();
  const schemas = new Set<string>();
  const total = { bytes: 0, blocks: 0, records: 0, damaged: 0, damagedBytes: 0 };
  const data = { bytes: 0, packed: 0 };
  const perBlock = { records: none(), bytes: none() };
  const fields = new Map<string, { bytes: number; values: number }>();
  for (const file of input.files) {
    const source = input.set.open(file.name);
    let blocks: BlockData | undefined;
    let sizes: FieldSizes | undefined;
    let walking: Walking | undefined;
    try {
      total.bytes += await scanContainer(source, context, {
        async header(header) {
          codecs.add(header.codec ?? 'unknown');
          if (header.schema) schemas.add(branchName(header.schema.root));
          blocks = BlockData.open(header, file.name, context.limits.recordBytes);
          if (!blocks) return;
          sizes = new FieldSizes(blocks.type);
          const { visitor } = sizes;
          walking = new Walking(blocks.type, visitor, () => sizes?.reset());
        },
        block(block) {
          total.blocks++;
          widen(perBlock.records, block.count);
          widen(perBlock.bytes, block.length);
          if (!blocks || !walking) return;
          const outcome = blocks.read(block, walking);
          total.records += outcome.read;
          for (const { start, end } of outcome.runs) data.bytes += end - start;
          data.packed += block.end - block.start;
          if (outcome.findings.some(({ severity }) => severity === 'error')) total.damaged++;
        },
        damage(damage) {
          total.damaged++;
          if (damage.lost) total.damagedBytes += damage.length;
        },
      });
    } finally {
      source.close?.();
    }
    for (const [path, { bytes, values }] of sizes?.sizes ?? []) {
      const known = fields.get(path) ?? { bytes: 0, values: 0 };
      fields.set(path, { bytes: known.bytes + bytes, values: known.values + values });
    }
  }
  return {
    path: input.set.path,
    family: 'avro',
    dialect: input.dialect.id,
    files: input.files.length,
    schema: [...schemas].join(', '),
    codec: [...codecs].join(', '),
    ...total,
    dataBytes: data.bytes,
    compressedBytes: data.packed,
    recordsPerBlock: shown(perBlock.records),
    bytesPerBlock: shown(perBlock.bytes),
    fields: [...fields]
      .sort(byPath)
      .map(([field, { bytes, values }]) => ({ field, bytes, values })),
  };
}
