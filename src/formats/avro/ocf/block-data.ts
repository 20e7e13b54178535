/** What is in a block: decompressed, and datum by datum. */
import { type BlockCodec, CodecFault } from '../../../shared/block-codecs/codec.ts';
import type { Finding } from '../../format.ts';
import { Cursor } from '../codec/cursor.ts';
import { EMPTY_ITEMS_MAX } from '../codec/limits.ts';
import type { DatumFault } from '../codec/walk.ts';
import { type AvroType, minimumBytes } from '../schema/model.ts';
import { CrcFault, loadCodec } from './codecs.ts';
import type { Header } from './header.ts';
import type { Block } from './scan.ts';

/** A reading of one datum off the cursor: false if it cannot be read, and why. */
export interface DatumReader {
  read(cursor: Cursor): boolean;
  readonly faults: readonly DatumFault[];
}

/** What happened to a block. */
export interface BlockOutcome {
  /** Data that could be read, from the front. */
  read: number;
  /** Where in the decompressed data the last of them ends. */
  end: number;
  findings: Finding[];
}

export class BlockData {
  readonly cursor = new Cursor();
  readonly #least: number;

  private constructor(
    readonly type: AvroType,
    readonly codec: BlockCodec,
    /** With the null codec offsets within the data are places in the file. */
    readonly plain: boolean,
    readonly file: string,
    readonly bytesMax: number,
  ) {
    this.#least = minimumBytes(type);
  }

  /** Undefined where the header has no schema or codec that can be used. */
  static async open(
    header: Header,
    file: string,
    bytesMax: number,
  ): Promise<BlockData | undefined> {
    const { schema, codec } = header;
    if (!schema || !codec) return undefined;
    const loaded = await loadCodec(codec);
    return new BlockData(schema.root, loaded, codec === 'null', file, bytesMax);
  }

  /** The data of a block, decompressed; or what is wrong with them. */
  unpack(block: Block): Uint8Array | Finding {
    const packed = block.bytes.subarray(block.start, block.end);
    try {
      return this.codec.decompress(packed, this.bytesMax);
    } catch (error) {
      if (!(error instanceof CodecFault)) throw error;
      const code = error instanceof CrcFault ? 'crc-mismatch' : 'bad-compression';
      return this.#finding(block, code, error.message);
    }
  }

  #finding(block: Block, code: string, message: string): Finding {
    const { dataOffset: offset, start, end } = block;
    const repair = 'drop the block, keep its bytes in quarantine';
    const place = { file: this.file, offset, length: end - start };
    return { code, severity: 'error', ...place, message, repair };
  }

  /**
   * Reads the data of a block with `reader`, as far as that goes. `each` is called behind every
   * datum with its number and, in the decompressed data, its end; when it returns false, no more
   * are read.
   */
  read(
    block: Block,
    reader: DatumReader,
    each?: (index: number, end: number) => boolean,
  ): BlockOutcome {
    const outcome: BlockOutcome = { read: 0, end: 0, findings: [] };
    const data = this.unpack(block);
    if (!(data instanceof Uint8Array)) {
      outcome.findings.push(data);
      return outcome;
    }
    const { cursor } = this;
    const { count } = block;
    cursor.open(data, 0, data.length);
    const most = this.#least > 0 ? Math.floor(data.length / this.#least) : EMPTY_ITEMS_MAX;
    if (count > most) {
      const message = `the block has ${count} data by its count, and room for ${most} at most`;
      outcome.findings.push(this.#finding(block, 'bad-datum-count', message));
    }
    while (outcome.read < count && outcome.read < most) {
      const ok = reader.read(cursor);
      for (const fault of reader.faults) {
        outcome.findings.push(this.#fault(block, outcome.read, fault));
      }
      if (!ok) return outcome;
      outcome.end = cursor.at;
      if (each && !each(outcome.read++, cursor.at)) return outcome;
      if (!each) outcome.read++;
    }
    if (outcome.findings.length === 0) this.#checkEnd(block, data.length, outcome);
    return outcome;
  }

  #checkEnd(block: Block, length: number, outcome: BlockOutcome): void {
    const rest = length - outcome.end;
    if (rest === 0) return;
    const message = `${rest} bytes follow the last of the ${block.count} data of the block`;
    const finding = this.#finding(block, 'trailing-bytes', message);
    if (this.plain) {
      finding.offset += outcome.end;
      finding.length = rest;
    }
    finding.repair = 'keep the data, drop the bytes behind them';
    outcome.findings.push(finding);
  }

  /** Of a datum: in the file where nothing is compressed, else the whole block. */
  #fault(block: Block, index: number, fault: DatumFault): Finding {
    const { code, severity, offset, length, path, message } = fault;
    const where = path === '' ? '' : `${path}: `;
    const place = this.plain
      ? { offset: block.dataOffset + offset, length }
      : { offset: block.dataOffset, length: block.end - block.start };
    const at = this.plain ? '' : `, byte ${offset} of the decompressed data`;
    return {
      code,
      severity,
      file: this.file,
      ...place,
      message: `datum ${index} of the block${at}: ${where}${message}`,
      repair:
        severity === 'warning' ? 'nothing: it is read all the same' : 'keep the data before it',
    };
  }
}
