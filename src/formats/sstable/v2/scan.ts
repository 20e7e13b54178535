/**
 * Reads a hardened table from the front, frame by frame. Every frame begins at a multiple of 64
 * with a checksum of its own: behind damage, reading goes on at the next one that holds.
 */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { viewOf } from '../../bytes/read-fully.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { EntryBlock } from '../entry-block.ts';
import type { TableDamage, TableScanContext, TableVisitor } from '../model.ts';
import { BlockHead, bodyCrcOf, EntryDecoder } from './block.ts';
import { TableCheck } from './check.ts';
import { decodeFooter } from './frames.ts';
import * as names from './layout.ts';
import { type Lost, lostPieces } from './lost.ts';
import { unpacked, V2Table } from './table.ts';

export async function scanV2(
  source: ByteSource,
  context: TableScanContext,
  visitor: TableVisitor,
): Promise<void> {
  const table = await V2Table.load(source, context);
  await new V2Scan(table, context, visitor).run();
}

export class V2Scan {
  readonly block = new EntryBlock();
  readonly #window: Window;
  readonly #head = new BlockHead();
  readonly #decoder = new EntryDecoder();
  readonly #check: TableCheck;
  #stopped = false;
  #dataBlocks = 0;
  #dataEnd = names.HEADER_BYTES;
  #frames = 0;
  #footers = 0;
  #ended = -1;
  /** Where bytes begin that belong to no frame; -1: nowhere. */
  #lostFrom = -1;

  constructor(
    readonly table: V2Table,
    readonly context: TableScanContext,
    readonly visitor: TableVisitor,
  ) {
    this.#window = new Window(table.source, context);
    this.block.file = table.source.name;
    this.#check = new TableCheck(table, (damage) => this.tell(damage));
  }

  async run(): Promise<void> {
    const { table, visitor } = this;
    const { size } = table;
    if (!this.#header()) return;
    let at = Math.min(size, names.HEADER_BYTES);
    while (at < size && !this.#stopped) {
      if (this.#ended >= 0) {
        this.#unaccounted(at, size);
        break;
      }
      const next = await this.#frame(at);
      if (next > at) {
        at = next;
        continue;
      }
      if (this.#lostFrom < 0) this.#lostFrom = at;
      at += names.ALIGN_BYTES;
    }
    if (this.#stopped) return;
    if (this.#lostFrom >= 0) this.#lose(size, undefined);
    if (table.footer === undefined) this.#unfinished();
    else if (this.#ended < 0 && this.#footers > 0 && table.footer.fileBytes > size) {
      const message = `the table has ${table.footer.fileBytes} bytes, ${size} are there`;
      this.#tellAt('bad-footer', size, 0, message, 'write what follows the data anew');
    }
    this.#check.end(this.#dataBlocks, this.#dataEnd, this.context.depth === 'full');
    if (size === 0) visitor.frame?.('header', 0, 0, 'bad-header');
  }

  /** False: nothing of the file can be read. */
  #header(): boolean {
    const { table, visitor } = this;
    const { look, refused, size } = table;
    const length = Math.min(size, names.HEADER_BYTES);
    const drop = 'keep these bytes in quarantine';
    if (refused !== undefined) {
      const message = `${refused} is not known to this reader`;
      this.#tellAt('unsupported', 0, size, message, drop, true);
      return false;
    }
    if (look?.intact) {
      visitor.frame?.('header', 0, length);
      return true;
    }
    if (table.fileCrc === undefined) {
      const message = 'neither header nor footer says which table this is: no block can be checked';
      this.#tellAt('bad-header', 0, size, message, drop, true);
      return false;
    }
    const flips = look && explainFlips(crc32c, look.stored, look.computed, names.HEADER_CRC_AT);
    const said = look ? `stored ${hex32(look.stored)}, computed ${hex32(look.computed)}` : 'cut';
    this.#tellAt(
      'bad-header',
      0,
      length,
      `header: ${said}`,
      'write it anew',
      false,
      flipped(flips, 60),
    );
    visitor.frame?.('header', 0, length, 'bad-header');
    return true;
  }

  /** One frame. Returns where it ends; `at` where there is none. */
  async #frame(at: number): Promise<number> {
    const window = this.#window;
    const needed = at + names.FOOTER_BYTES;
    if (at < window.base || (needed > window.end && !window.atEnd)) {
      await window.fill(at, names.FOOTER_BYTES);
    }
    const i = at - window.base;
    if (window.count - i < names.HEAD_BYTES) return at;
    const head = this.#head;
    const fileCrc = this.table.fileCrc!;
    if (head.read(window.bytes, window.view, i, fileCrc, at)) return this.#blockAt(at);
    const footer = decodeFooter(window.bytes.subarray(0, window.count), i, at);
    if (!footer || footer.fileCrc !== fileCrc) return at;
    if (this.#lostFrom >= 0) this.#lose(at, 'footer');
    const end = at + names.FOOTER_BYTES;
    if (++this.#footers === 1) this.table.footer ??= footer;
    if (footer.copy === 2) this.#ended = end;
    this.visitor.frame?.('footer', at, names.FOOTER_BYTES);
    return end;
  }

  async #blockAt(at: number): Promise<number> {
    const head = this.#head;
    const { table, context } = this;
    const length = names.aligned(names.HEAD_BYTES + head.storedBytes);
    if (length > context.limits.recordBytes || at + length > table.size) return at;
    const window = this.#window;
    if (at + length > window.end) await window.fill(at, length);
    const i = at - window.base;
    if (i + length > window.count) return at;
    const role = names.KIND_NAMES[head.kind] ?? `kind_${head.kind}`;
    if (this.#lostFrom >= 0) this.#lose(at, role);
    const { bytes, view } = window;
    const computed = bodyCrcOf(bytes, view, i, i + length, table.fileCrc!, at);
    if (computed !== head.bodyCrc) {
      const flips = explainFlips(crc32c, head.bodyCrc, computed, length - names.HEAD_BYTES);
      const message = `stored ${hex32(head.bodyCrc)}, computed ${hex32(computed)}`;
      this.#damaged(
        { role, offset: at, length, entries: head.entries },
        message,
        flipped(flips, at + length),
      );
      return at + length;
    }
    this.#block(role, at, length, bytes, i);
    return at + length;
  }

  #block(role: string, at: number, length: number, bytes: Uint8Array, i: number): void {
    const head = this.#head;
    const { visitor, block } = this;
    const isData = head.kind === names.KIND.data;
    if (head.number !== this.#frames) {
      const message = `${role} block: it has number ${head.number}, ${this.#frames} is due`;
      this.#tellAt('block-format', at, length, message, 'write it anew');
    }
    this.#frames = head.number + 1;
    if (!isData && head.kind !== names.KIND.ranges) {
      this.#check.seen.set(role, { offset: at, bytes: length });
      visitor.frame?.(role, at, length);
      return;
    }
    block.number = this.#dataBlocks;
    block.offset = at;
    block.length = length;
    block.rawBytes = head.rawBytes;
    block.compression = names.COMPRESSION_NAMES[head.compression] ?? `type ${head.compression}`;
    block.rangeDeletions = !isData;
    block.count = 0;
    if (isData) {
      this.#check.place(this.#dataBlocks++, at, length, head.entries);
      this.#dataEnd = at + length;
    } else this.#check.seen.set('ranges', { offset: at, bytes: length });
    if (this.context.depth === 'quick') this.#yield();
    else this.#entries(role, at, length, bytes, i, isData);
  }

  #entries(
    role: string,
    at: number,
    length: number,
    bytes: Uint8Array,
    i: number,
    isData: boolean,
  ): void {
    const head = this.#head;
    const { block } = this;
    const decoder = this.#decoder;
    const lost = { role, offset: at, length, entries: head.entries };
    const raw = unpacked(head, bytes, i);
    if (!raw) {
      this.#damaged(
        lost,
        `its payload does not unpack to ${head.rawBytes} bytes`,
        undefined,
        'block-format',
      );
      return;
    }
    const view = viewOf(raw);
    const whole = decoder.decode(raw, view, 0, raw.length, head.entries, block);
    const full = this.context.depth === 'full';
    if (!whole || (full && !decoder.checkRestarts(raw, view, 0, raw.length))) {
      block.count = 0;
      this.#damaged(
        lost,
        `at ${decoder.faultAt} in the block: ${decoder.fault}`,
        undefined,
        'block-format',
      );
      return;
    }
    if (full && isData) this.#check.block(block);
    if (full && !isData) this.#check.ranges(block);
    this.#yield();
  }

  #yield(): void {
    this.visitor.block(this.block);
    if (this.visitor.done?.()) this.#stopped = true;
  }

  /** From #lostFrom to `end` no frame was found; behind it stands `evidence`. */
  #lose(end: number, evidence: string | undefined): void {
    const from = this.#lostFrom;
    this.#lostFrom = -1;
    const behind = evidence
      ? `the next frame whose checksum holds is at ${end}: ${evidence}`
      : 'no frame whose checksum holds is behind it';
    for (const piece of lostPieces(this.table, from, end)) {
      this.#damaged(piece, 'no checksum of a frame holds here', undefined, undefined, behind);
    }
  }

  #damaged(
    lost: Lost,
    message: string,
    diagnosis?: string,
    code = lost.role === 'footer' ? 'bad-footer' : 'block-checksum',
    evidence?: string,
  ): void {
    const { role, offset, length, entries } = lost;
    const carries = role === 'data' || role === 'range_deletions' || role === '';
    if (carries) this.#check.lost = true;
    if (role === 'data') {
      this.#dataBlocks += lost.blocks ?? 1;
      this.#dataEnd = offset + length;
    }
    this.#frames = role === 'footer' ? this.#frames : this.#frames + (lost.blocks ?? 1);
    const drop = 'drop the block, keep its bytes in quarantine';
    this.tell({
      code,
      severity: 'error',
      file: this.table.source.name,
      offset,
      length,
      message: `${role || 'unknown'}${role === 'footer' ? '' : ' block'}: ${message}`,
      ...(evidence && { evidence }),
      ...(diagnosis && { diagnosis }),
      repair: carries ? drop : 'write it anew',
      lost: carries,
      ...(carries && { entriesAtMost: entries ?? Math.ceil(length / names.ENTRY_BYTES_MIN) }),
    });
    if (!carries) this.visitor.frame?.(role, offset, length, code);
  }

  #unaccounted(from: number, size: number): void {
    const message = `${size - from} bytes behind the end of the table`;
    this.#tellAt('unaccounted', from, size - from, message, 'leave them out', true);
  }

  #unfinished(): void {
    const { size } = this.table;
    const message = 'there is no footer: the table was not finished, or was cut';
    this.#tellAt('unfinished', size, 0, message, 'write what follows the data anew');
  }

  #tellAt(
    code: string,
    offset: number,
    length: number,
    message: string,
    repair: string,
    lost = false,
    diagnosis?: string,
  ): void {
    const { name: file } = this.table.source;
    const more = diagnosis ? { diagnosis } : {};
    this.tell({ code, severity: 'error', file, offset, length, message, ...more, repair, lost });
  }

  tell(damage: TableDamage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}

/** The one bit that explains a checksum over bytes that end at `end`. */
function flipped(flips: ReturnType<typeof explainFlips>, end: number): string | undefined {
  if (flips?.kind === 'stored') return `bit ${flips.bit} of the stored checksum is flipped`;
  if (flips?.kind !== 'one') return undefined;
  return `bit ${flips.at.bit} of the byte at ${end - 1 - flips.at.byteFromEnd} is flipped`;
}
