/**
 * Which log and segment a file is: its header, its name, what the segment before says, its blocks.
 */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import type { Window } from '../../bytes/window.ts';
import type { WalScanContext, WalVisitor } from '../model.ts';
import { type BlockHeader, decodeSegmentHeader, type SegmentHeader } from './headers.ts';
import {
  BLOCK_BYTES,
  HEADER_CRC_AT,
  SEGMENT_HEADER_BYTES,
  SEGMENT_NAME,
  VERSION,
} from './layout.ts';
import type { Losses } from './losses.ts';
import type { MarkPlace } from './mark.ts';

/** What a segment leaves for the next one to be held against. */
interface Left {
  logId: bigint | undefined;
  chain: number;
  segment: number | undefined;
}

const CARRY = 'wal/v2';

export class Identity {
  #logId: bigint | undefined;
  #segment: number | undefined;
  header: SegmentHeader | undefined;
  /**
   * A newer layout, or a flag that must be understood and is not: nothing of the file can be read.
   */
  refused = false;
  /** The header is damaged, and that is told. */
  told = false;

  constructor(
    readonly file: string,
    readonly context: WalScanContext,
    readonly losses: Losses,
  ) {
    const match = SEGMENT_NAME.exec(file);
    if (match) this.#segment = Number(match[1]);
  }

  /**
   * Returns the chain that the first block continues; -1: not known. The window shows the file's
   * start.
   */
  readHeader(window: Window, available: number, visitor: WalVisitor): number {
    const at = -window.base;
    if (available < SEGMENT_HEADER_BYTES) return -1; // the block header is cut then too, and told
    const { bytes, view } = window;
    const header = decodeSegmentHeader(bytes.subarray(at, at + SEGMENT_HEADER_BYTES));
    if (!header?.intact) {
      // A block of zeros is told as such.
      if (bytes.subarray(at, at + available).every((byte) => byte === 0)) return -1;
      this.told = true;
      this.losses.noteFlips(
        'bad-header',
        0,
        SEGMENT_HEADER_BYTES,
        `segment header: ${header ? 'its checksum does not hold' : 'neither magic nor checksum holds'}; ` +
          'the blocks tell the log and the segment',
        {
          stored: view.getUint32(at + HEADER_CRC_AT, true),
          computed: crc32c.of(bytes, at, at + HEADER_CRC_AT),
          crcAt: HEADER_CRC_AT,
          dataAt: 0,
          dataBytes: HEADER_CRC_AT,
        },
      );
      return -1;
    }
    this.header = header;
    if (this.#refuses(header)) return -1;
    this.#compare(header);
    this.#logId = header.logId;
    this.#segment = header.segment;
    visitor.resume?.(header.previousSeq, header.baseSeq);
    return header.crc;
  }

  #refuses(header: SegmentHeader): boolean {
    const { version, incompatible, blockBytes } = header;
    let why: string | undefined;
    if (version !== VERSION) why = `layout version ${version}, this reader knows ${VERSION}`;
    else if (incompatible !== 0)
      why = `incompatible feature flags ${hex32(incompatible)} are not known`;
    else if (blockBytes !== BLOCK_BYTES)
      why = `blocks of ${blockBytes} bytes, expected ${BLOCK_BYTES}`;
    if (why === undefined) return false;
    this.refused = true;
    this.losses.note('unsupported', 0, SEGMENT_HEADER_BYTES, `${why}: the segment is not read`);
    return true;
  }

  /** Against the name, and against the segment before. */
  #compare(header: SegmentHeader): void {
    const { segment, logId, previousChain } = header;
    if (this.#segment !== undefined && this.#segment !== segment) {
      const message = `the header says segment ${segment}, the name ${this.#segment}`;
      this.losses.note('misplaced-segment', 0, SEGMENT_HEADER_BYTES, message);
    }
    const left = this.context.carry?.get(CARRY) as Left | undefined;
    if (!left) return;
    if (left.logId !== undefined && left.logId !== logId) {
      const message = `log ${idText(logId)}, the segment before is of log ${idText(left.logId)}`;
      this.losses.note('foreign-segment', 0, SEGMENT_HEADER_BYTES, message);
    } else if (left.segment === segment - 1 && left.chain >= 0 && left.chain !== previousChain) {
      const message =
        `the header continues ${hex32(previousChain)}, the segment before ends with ` +
        `${hex32(left.chain)}: its end is cut off or replaced`;
      this.losses.note('chain-broken', 0, SEGMENT_HEADER_BYTES, message);
    }
  }

  /** Which log and segment, where that is known. */
  get place(): MarkPlace | undefined {
    if (this.#logId === undefined || this.#segment === undefined) return undefined;
    return { logId: this.#logId, segment: this.#segment };
  }

  /** What is wrong with an intact block header in this place; undefined: nothing. */
  misplaced(header: BlockHeader, block: number): string | undefined {
    this.#logId ??= header.logId;
    this.#segment ??= header.segment;
    if (
      header.logId === this.#logId &&
      header.segment === this.#segment &&
      header.block === block
    ) {
      return undefined;
    }
    return (
      `block ${header.block} of segment ${header.segment} of log ${idText(header.logId)} stands where ` +
      `block ${block} of segment ${this.#segment} of log ${idText(this.#logId)} belongs`
    );
  }

  /** Hands on what the next segment must continue; -1: the end could not be read. */
  leave(chain: number): void {
    const left: Left = { logId: this.#logId, chain, segment: this.#segment };
    this.context.carry?.set(CARRY, left);
  }
}

function idText(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}
