/** What can be said of a record that does not check, out of its own bytes. */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import { explainBody, type MendedHead, mendHead } from './explain.ts';
import { viewOf } from './headers.ts';
import {
  BODY_CRC_AT,
  DELETE,
  FLAGS_AT,
  FLAGS_KNOWN,
  HEAD_BYTES,
  HEAD_CRC_AT,
  KIND_AT,
} from './layout.ts';
import type { Loss } from './losses.ts';
import { headMakesSense, isDeletion, keyLengthOf, recordBytesOf, seqOf } from './record.ts';

/** How much of a lost record's key is told. */
const SUBJECT_BYTES_MAX = 64;

/** The head of a record in its place: as it stands there, or as it was before bits flipped. */
export class SeenHead {
  readonly view: DataView;
  readonly total: number;
  readonly seq: number;
  readonly makesSense: boolean;
  /** The body's checksum, signed. */
  readonly bodyCrc: number;

  private constructor(
    readonly bytes: Uint8Array,
    readonly mended: MendedHead | undefined,
  ) {
    const view = viewOf(bytes);
    this.view = view;
    this.total = recordBytesOf(view, 0);
    this.seq = seqOf(view, 0);
    this.makesSense = headMakesSense(bytes, view, 0);
    this.bodyCrc = view.getInt32(BODY_CRC_AT, true);
  }

  /**
   * The head at bytes[p], file offset `at`, or as flipped bits explain it; undefined if none of
   * this stamp stands there.
   */
  static read(
    bytes: Uint8Array,
    view: DataView,
    p: number,
    at: number,
    stamp: number,
  ): SeenHead | undefined {
    if (headCrc(bytes, view, p, stamp) === view.getUint32(p + HEAD_CRC_AT, true)) {
      return new SeenHead(bytes.slice(p, p + HEAD_BYTES), undefined);
    }
    const mended = mendHead(bytes, view, p, at, stamp);
    if (!mended) return undefined;
    const head = new SeenHead(mended.head, mended);
    return head.makesSense ? head : undefined;
  }

  /** The loss of this record, all of which is there: its body does not check, or it is unknown. */
  loss(bytes: Uint8Array, p: number, at: number, computed: number, diagnose: boolean): Loss {
    const { total, mended } = this;
    const framed = { offset: at, end: at + total, records: 1, ...this.#contents(bytes, p) };
    if (this.bodyCrc === computed) {
      const [kind, flags] = [this.bytes[KIND_AT]!, this.bytes[FLAGS_AT]!];
      const what = `kind ${kind}, flags ${flags}, seq ${this.seq}`;
      const known = `kinds 1 put and ${DELETE} delete, flags up to ${FLAGS_KNOWN}, seq below 2^53`;
      const message = `the checksum holds, but ${what} make no sense: known are ${known}`;
      return { ...framed, code: 'bad-op', message };
    }
    const message = `stored ${hex32(this.bodyCrc)}, computed ${hex32(computed)} over key and value`;
    const stored = this.bodyCrc >>> 0;
    const explained =
      diagnose && !mended
        ? explainBody(bytes, p, at, total - HEAD_BYTES, stored, computed >>> 0)
        : undefined;
    const diagnosis = explained?.diagnosis ?? mended?.diagnosis;
    return { ...framed, code: 'crc-mismatch', message, diagnosis, mend: explained?.mend };
  }

  /** What the record was, as far as its lengths vouch for it. */
  #contents(bytes: Uint8Array, p: number): Pick<Loss, 'subject' | 'key' | 'deleted'> {
    const start = p + HEAD_BYTES;
    const key = bytes.slice(start, start + keyLengthOf(this.view, 0));
    const shown = Math.min(key.length, SUBJECT_BYTES_MAX);
    const rest = key.length > shown ? ` and ${key.length - shown} bytes more` : '';
    const deleted = isDeletion(this.bytes, 0);
    const text = JSON.stringify(bytesValue(key, 0, shown));
    return { subject: `${deleted ? 'delete' : 'put'} ${text}${rest}`, key, deleted };
  }
}

function headCrc(bytes: Uint8Array, view: DataView, p: number, stamp: number): number {
  return ~crc32c.update(~stamp, bytes, view, p + BODY_CRC_AT, p + HEAD_BYTES) >>> 0;
}

/** In words why no head stands at bytes[p]. */
export function noHead(bytes: Uint8Array, view: DataView, p: number, stamp: number): string {
  const stored = view.getUint32(p + HEAD_CRC_AT, true);
  return `head: stored ${hex32(stored)}, computed ${hex32(headCrc(bytes, view, p, stamp))}`;
}
