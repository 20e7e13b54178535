/** avro concat and recodec: containers out of containers. */
import { randomBytes } from 'node:crypto';
import { JsonOut } from '../formats/avro/codec/json-out.ts';
import { valueWriter } from '../formats/avro/codec/write-value.ts';
import { BlockData, type DatumReader } from '../formats/avro/ocf/block-data.ts';
import { loadCodec } from '../formats/avro/ocf/codecs.ts';
import type { Header } from '../formats/avro/ocf/header.ts';
import { checkingReader, printingReader } from '../formats/avro/ocf/readers.ts';
import { type Block, scanContainer } from '../formats/avro/ocf/scan.ts';
import { CODEC_KEY, type CodecName, SCHEMA_KEY } from '../formats/avro/ocf/spec.ts';
import { ContainerWriter, markerOf } from '../formats/avro/ocf/write.ts';
import { canonicalForm } from '../formats/avro/schema/canonical.ts';
import type { Opened, ScanContext } from '../formats/format.ts';
import { DdiaError } from '../shared/errors.ts';
import { parseJsonBig } from '../shared/json-big.ts';
import type { ByteTarget } from './avro-output.ts';
import { refuseImpossible } from './avro-resolve.ts';
import type { GivenSchema } from './avro-schema.ts';

export interface RewriteOptions {
  /** Of the result; by default that of the first input. */
  codec: CodecName | undefined;
  /** All data are resolved to it; by default the inputs must have one schema. */
  schema: GivenSchema | undefined;
  markerSeed: string | undefined;
}

export interface RewriteResult {
  records: number;
  blocks: number;
}

/** Damage is not copied silently: repair is there for it. */
function refuseDamage(path: string, offset: number, message: string): never {
  throw new DdiaError(
    'damaged',
    `${path} @ ${offset}: ${message}`,
    `repair it first: ddia avro repair ${path} --out DIR`,
  );
}

export async function rewriteContainers(
  inputs: readonly Opened[],
  options: RewriteOptions,
  target: ByteTarget,
  context: ScanContext,
): Promise<RewriteResult> {
  const rewriter = new Rewriter(options, target, context);
  for (const input of inputs) {
    for (const file of input.files) await rewriter.file(input, file.name);
  }
  return rewriter.end();
}

class Rewriter {
  #writer: ContainerWriter | undefined;
  #codec: CodecName = 'null';
  #canonical = '';

  constructor(
    readonly options: RewriteOptions,
    readonly target: ByteTarget,
    readonly context: ScanContext,
  ) {}

  async file(input: Opened, name: string): Promise<void> {
    const { path } = input.set;
    const source = input.set.open(name);
    let copy: ((block: Block) => void) | undefined;
    try {
      await scanContainer(source, this.context, {
        header: async (header) => {
          const data = BlockData.open(header, name, this.context.limits.recordBytes);
          if (!data) return;
          await this.#begin(path, header);
          copy = this.#copier(path, header, data);
        },
        block: (block) => copy?.(block),
        damage: ({ offset, message }) => refuseDamage(path, offset, message),
      });
    } finally {
      source.close?.();
    }
  }

  /** The first container decides what the options leave open; the others must be of its schema. */
  async #begin(path: string, header: Header): Promise<void> {
    const canonical = canonicalForm(header.schema!);
    if (this.#writer) {
      if (!this.options.schema && canonical !== this.#canonical) {
        throw new DdiaError(
          'different-schemas',
          `${path} has another schema than the containers before it`,
          'give the one to read them all by: --reader-schema FILE',
        );
      }
      return;
    }
    this.#canonical = canonical;
    this.#codec = this.options.codec ?? header.codec!;
    const { markerSeed, schema } = this.options;
    const meta = new Map<string, Uint8Array>(header.meta);
    meta.delete(SCHEMA_KEY);
    meta.delete(CODEC_KEY);
    const text = schema?.text ?? header.meta.get(SCHEMA_KEY)!.toString('utf8');
    const write = (bytes: Uint8Array) => this.target.write(bytes);
    this.#writer = new ContainerWriter(
      {
        codec: this.#codec,
        compression: await loadCodec(this.#codec),
        schemaText: text,
        marker: markerSeed === undefined ? randomBytes(16) : markerOf(markerSeed),
        meta,
      },
      write,
    );
  }

  /** Blocks are taken over as they are where nothing in them changes. */
  #copier(path: string, header: Header, data: BlockData): (block: Block) => void {
    const writer = this.#writer!;
    const reader = this.options.schema?.schema.root;
    const check = (block: Block, read: DatumReader, each?: () => boolean): void => {
      const [fault] = data
        .read(block, read, each)
        .findings.filter(({ severity }) => severity === 'error');
      if (fault) refuseDamage(path, fault.offset, fault.message);
    };
    if (reader) {
      refuseImpossible(data.type, reader);
      // By way of the JSON encoding: it names the branches of unions, which bare values do not.
      const json = new JsonOut();
      const printing = printingReader(json, data.type, reader, { mode: 'avro', logical: false });
      const put = valueWriter(reader, 'avro');
      const each = () => {
        const value = parseJsonBig(json.text);
        json.at = 0;
        writer.datum((bytes) => put(bytes, value));
        return true;
      };
      return (block) => check(block, printing, each);
    }
    const checking = checkingReader(data.type);
    return (block) => {
      check(block, checking);
      if (block.count === 0) return;
      const packed = block.bytes.subarray(block.start, block.end);
      if (header.codec === this.#codec) writer.block(block.count, packed);
      else {
        writer.encoded(data.unpack(block) as Uint8Array, block.count);
        writer.flush();
      }
    };
  }

  end(): RewriteResult {
    const writer = this.#writer;
    if (!writer) throw new DdiaError('no-data', 'no container was given');
    writer.flush();
    this.target.finish();
    const { records, blocks } = writer;
    return { records, blocks };
  }
}
