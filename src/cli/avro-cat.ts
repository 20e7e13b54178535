/** avro cat: the data of containers as lines of JSON, as they are read. */
import { JsonOut } from '../formats/avro/codec/json-out.ts';
import type { ModeOptions } from '../formats/avro/codec/mode.ts';
import { BlockData, type DatumReader } from '../formats/avro/ocf/block-data.ts';
import { printingReader } from '../formats/avro/ocf/readers.ts';
import { type Block, scanContainer } from '../formats/avro/ocf/scan.ts';
import { findingOf } from '../formats/avro/ocf/verify.ts';
import type { AvroType } from '../formats/avro/schema/model.ts';
import { Findings, type Verdict } from '../formats/findings.ts';
import type { ByteSource, Finding, Opened, ScanContext } from '../formats/format.ts';
import type { Output } from '../ui/output.ts';
import { refuseImpossible } from './avro-resolve.ts';

/** Lines are handed on when so many bytes of them have come together. */
const HAND_ON_BYTES = 48 * 1024;

export interface CatOptions {
  mode: ModeOptions;
  reader: AvroType | undefined;
  skip: number;
  limit: number;
}

export async function catContainers(
  input: Opened,
  options: CatOptions,
  context: ScanContext,
  out: Output,
  onDamage: (finding: Finding) => void,
): Promise<Verdict> {
  const cat = new Cat(options, context, out, onDamage);
  for (const file of input.files) {
    if (cat.done) break;
    const source = input.set.open(file.name);
    try {
      await cat.file(source);
    } finally {
      source.close?.();
    }
  }
  out.flush();
  return cat.findings.verdict;
}

class Cat {
  readonly findings = new Findings(0);
  readonly #json = new JsonOut();
  #skip: number;
  #left: number;

  constructor(
    readonly options: CatOptions,
    readonly context: ScanContext,
    readonly out: Output,
    readonly onDamage: (finding: Finding) => void,
  ) {
    this.#skip = options.skip;
    this.#left = options.limit;
  }

  get done(): boolean {
    return this.#left <= 0;
  }

  async file(source: ByteSource): Promise<void> {
    const { context, options } = this;
    let data: BlockData | undefined;
    let reader: DatumReader | undefined;
    const idle = () => {
      this.#handOn();
      this.out.flush();
    };
    await scanContainer(
      source,
      { ...context, idle },
      {
        header: async (header) => {
          data = BlockData.open(header, source.name, context.limits.recordBytes);
          if (!data) return;
          if (options.reader) refuseImpossible(data.type, options.reader);
          reader = printingReader(this.#json, data.type, options.reader, options.mode);
        },
        block: (block) => {
          if (data && reader) this.#block(block, data, reader);
        },
        damage: (damage) => this.#damaged(findingOf(damage)),
        done: () => this.done,
      },
    );
    this.#handOn();
  }

  #block(block: Block, data: BlockData, reader: DatumReader): void {
    const narrowed = this.#skip > 0 || this.#left !== Number.POSITIVE_INFINITY;
    if (this.#skip > 0) this.#handOn();
    const each = narrowed ? this.#counted : this.#handOnLong;
    for (const finding of data.read(block, reader, each).findings) this.#damaged(finding);
  }

  #handOn(): void {
    this.out.raw(this.#json.bytes, 0, this.#json.at);
    this.#json.at = 0;
  }

  #damaged(finding: Finding): void {
    this.findings.add(finding);
    this.#handOn();
    this.onDamage(finding);
  }

  /** Behind each datum, where some are left out. */
  readonly #counted = (): boolean => {
    if (this.#skip > 0) {
      this.#skip--;
      this.#json.at = 0;
    } else this.#left--;
    return this.#handOnLong() && this.#left > 0;
  };

  readonly #handOnLong = (): boolean => {
    if (this.#json.at > HAND_ON_BYTES) this.#handOn();
    return true;
  };
}
