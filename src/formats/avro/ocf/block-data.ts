/** What is in a block: decompressed, and datum by datum. */
import { type BlockDecoder, CodecFault, LimitFault } from '../../../shared/codecs/block-codec.ts';
import type { Finding } from '../../format.ts';
import { Cursor } from '../codec/cursor.ts';
import { EMPTY_ITEMS_MAX } from '../codec/limits.ts';
import type { DatumFault } from '../codec/walk.ts';
import { type AvroType, minimumBytes } from '../schema/model.ts';
import { CrcFault, decoderOf } from './codecs.ts';
import type { Header } from './header.ts';
import { type Resumption, Resync } from './resync.ts';
import type { Block } from './scan.ts';

/** A reading of one datum off the cursor: false if it cannot be read, and why. */
export interface DatumReader {
  read(cursor: Cursor): boolean;
  readonly faults: readonly DatumFault[];
}

/** Data one behind the other, in the decompressed data of a block. */
export interface Run {
  start: number;
  end: number;
  /** The number of the first of them in the block, and how many there are. */
  index: number;
  records: number;
}

/** What happened to a block. */
export interface BlockOutcome {
  /** Data that could be read. */
  read: number;
  /** Where they stand: one run from the front, and one more behind each place that was damaged. */
  runs: Run[];
  /** The decompressed data, or the part of them that came out. */
  data: Uint8Array;
  /** In the order of what is damaged; behind each run but the last there is an error. */
  findings: Finding[];
}

const NO_BYTES = new Uint8Array(0);

const isError = ({ severity }: Finding) => severity === 'error';

export class BlockData {
  readonly cursor = new Cursor();
  readonly #least: number;
  #resync: Resync | undefined;

  private constructor(
    readonly type: AvroType,
    readonly codec: BlockDecoder,
    /** With the null codec offsets within the data are places in the file. */
    readonly plain: boolean,
    readonly file: string,
    readonly bytesMax: number,
  ) {
    this.#least = minimumBytes(type);
  }

  /** Undefined where the header has no schema or codec that can be used. */
  static open(header: Header, file: string, bytesMax: number): BlockData | undefined {
    const { schema, codec } = header;
    if (!schema || !codec) return undefined;
    return new BlockData(schema.root, decoderOf(codec), codec === 'null', file, bytesMax);
  }

  /** Whether of a block that was not finished data can be had. */
  get yieldsParts(): boolean {
    return this.plain || this.codec.decompressPart !== undefined;
  }

  /** The data of a block, decompressed; or what is wrong with them. */
  unpack(block: Block): Uint8Array | Finding {
    const unpacked = this.#decompress(block);
    return unpacked instanceof Uint8Array ? unpacked : this.#codecFinding(block, unpacked);
  }

  #decompress(block: Block): Uint8Array | CodecFault {
    try {
      return this.codec.decompress(block.bytes.subarray(block.start, block.end), this.bytesMax);
    } catch (error) {
      if (error instanceof CodecFault) return error;
      throw error;
    }
  }

  #codecFinding(block: Block, fault: CodecFault): Finding {
    const code = fault instanceof CrcFault ? 'crc-mismatch' : 'bad-compression';
    return this.#finding(block, code, fault.message);
  }

  /**
   * Of data that break off: what comes before the break. Data that come out whole and are not what
   * their CRC says are none of them to be trusted, unless the CRC is what was cut off.
   */
  #decompressPart(block: Block, fault: CodecFault): Uint8Array {
    const { codec } = this;
    const untold = fault instanceof LimitFault || (fault instanceof CrcFault && !block.cut);
    if (!codec.decompressPart || untold) return NO_BYTES;
    return codec.decompressPart(block.bytes.subarray(block.start, block.end), this.bytesMax);
  }

  #finding(block: Block, code: string, message: string): Finding {
    const { dataOffset: offset, start, end } = block;
    const repair = 'drop the block, keep its bytes in quarantine';
    const place = { file: this.file, offset, length: end - start };
    return { code, severity: 'error', ...place, message, repair };
  }

  /**
   * Reads the data of a block with `reader`, as far as that goes, and behind damage on where they
   * are found again. `each` is called behind every datum with its number and, in the decompressed
   * data, its end; when it returns false, no more are read.
   */
  read(
    block: Block,
    reader: DatumReader,
    each?: (index: number, end: number) => boolean,
  ): BlockOutcome {
    const unpacked = this.#decompress(block);
    const broken = unpacked instanceof Uint8Array ? undefined : unpacked;
    const data = broken ? this.#decompressPart(block, broken) : (unpacked as Uint8Array);
    const findings: Finding[] = broken ? [this.#codecFinding(block, broken)] : [];
    const outcome: BlockOutcome = { read: 0, runs: [], data, findings };
    const { count } = block;
    const most = this.#least > 0 ? Math.floor(data.length / this.#least) : EMPTY_ITEMS_MAX;
    this.cursor.open(data, 0, data.length);
    if (broken) {
      if (data.length > 0) this.#readPart(block, reader, Math.min(count, most), each, outcome);
      return outcome;
    }
    if (count > most) {
      const message = `the block has ${count} data by its count, and room for ${most} at most`;
      findings.push(this.#finding(block, 'bad-datum-count', message));
    }
    // Of a count that has no room, or a block that was not finished, nothing is known of the end.
    const ends = count <= most && !block.cut;
    const done = this.#readRuns(block, reader, Math.min(count, most), ends, each, outcome);
    if (done && !findings.some(isError)) this.#checkEnd(block, data.length, outcome);
    return outcome;
  }

  /** False if not all could be read, or no more were wanted. */
  #readRuns(
    block: Block,
    reader: DatumReader,
    last: number,
    ends: boolean,
    each: ((index: number, end: number) => boolean) | undefined,
    outcome: BlockOutcome,
  ): boolean {
    const { cursor } = this;
    let run: Run = { start: 0, end: 0, index: 0, records: 0 };
    outcome.runs.push(run);
    for (let index = 0; index < last; ) {
      const start = cursor.at;
      const ok = reader.read(cursor);
      for (const fault of reader.faults) outcome.findings.push(this.#fault(block, index, fault));
      if (ok) {
        run.end = cursor.at;
        run.records++;
        outcome.read++;
        if (each && !each(index, cursor.at)) return false;
        index++;
        continue;
      }
      const left = last - index - 1;
      const finding = outcome.findings.at(-1);
      const found = ends && finding ? this.#resume(block, start, left, finding) : undefined;
      if (!found) return false;
      index = last - found.records;
      cursor.at = found.start;
      run = { start: found.start, end: found.start, index, records: 0 };
      outcome.runs.push(run);
    }
    return true;
  }

  /** Where the data go on behind the one at `start`; `finding` tells of it. */
  #resume(block: Block, start: number, left: number, finding: Finding): Resumption | undefined {
    this.#resync ??= new Resync(this.type);
    const { cursor } = this;
    if (finding.code === 'unresolvable') {
      finding.repair = 'nothing: the datum is whole';
      const end = this.#resync.endOf(cursor, start);
      return end < 0 ? undefined : { start: end, records: left, exact: true };
    }
    const found = this.#resync.find(cursor, start, left);
    if (!found) return undefined;
    const { records, exact } = found;
    const place = (at: number) => String(this.plain ? block.dataOffset + at : at);
    const within = this.plain ? '' : ' of the decompressed data';
    const behind = exact
      ? `${records} data follow from byte ${place(found.start)}${within} on, to the block's end`
      : `of the ${left} data that the count leaves, the last ${records} are found again, ` +
        `from byte ${place(found.start)}${within} on`;
    const lost = left + 1 - records;
    finding.evidence = `${behind}; between lie ${found.start - start} bytes, of ${lost} data`;
    finding.repair = 'keep the data before it and those that are found again';
    return found;
  }

  /** Of data that break off: those before the break. That one of them breaks there is no news. */
  #readPart(
    block: Block,
    reader: DatumReader,
    last: number,
    each: ((index: number, end: number) => boolean) | undefined,
    outcome: BlockOutcome,
  ): void {
    const { data, findings } = outcome;
    const [broken] = findings as [Finding];
    this.#readRuns(block, reader, last, false, each, outcome);
    outcome.findings = findings.filter((one) => one === broken || !isError(one));
    broken.evidence = `before the break ${data.length} bytes come out, with ${outcome.read} data`;
    if (outcome.read > 0) broken.repair = 'keep the data before the break';
  }

  #checkEnd(block: Block, length: number, outcome: BlockOutcome): void {
    const { end } = outcome.runs.at(-1)!;
    const rest = length - end;
    if (rest === 0) return;
    const message = `${rest} bytes follow the last of the ${block.count} data of the block`;
    const finding = this.#finding(block, 'trailing-bytes', message);
    if (this.plain) {
      finding.offset += end;
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
