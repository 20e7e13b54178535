// Reads a segment line by line. A line feed ends a line whatever came before it, which is how
// reading finds its way again behind damage.
import { CRC_DIGITS, LINE_BYTES_MIN, LINE_FEED, OPS, TAB, unescapeInto } from './layout.js';

const DROP = 'drop the line, keep its bytes in quarantine';

/** How much of a line is asked for first; the window grows with longer ones. */
const LINE_BYTES_ASKED = 4096;

/** Makes a dialect's `scan` of what the host lends. */
export function makeScan({ Window, WalRecord, crc32, hex32 }) {
  const parseLine = makeParser({ crc32, hex32 });

  return async function scan(source, context, visitor) {
    const window = new Window(source, context);
    const record = new WalRecord();
    record.file = source.name;
    let at = 0;
    while (!visitor.done?.()) {
      const { end, whole } = await lineEnd(window, at, context.limits.recordBytes);
      if (end === at) return;
      const start = at - window.base;
      record.offset = at;
      record.length = end - at;
      if (whole) {
        const fault = parseLine(window.bytes, start, start + record.length, record);
        if (fault === undefined) visitor.record(record);
        else visitor.damage(damagedLine(source.name, at, end, fault));
      } else visitor.damage(endlessLine(source.name, at, end, window.atEnd && window.end === end));
      at = end;
    }
  };
}

/**
 * Where the line that begins at `at` ends; not whole: the file ends first, or the limit is
 * reached.
 */
async function lineEnd(window, at, bytesMax) {
  let seen = 0;
  for (let asked = LINE_BYTES_ASKED; ; asked *= 2) {
    await window.fill(at, Math.min(asked, bytesMax));
    const from = at - window.base;
    const found = window.bytes.subarray(0, window.count).indexOf(LINE_FEED, from + seen);
    if (found >= 0 && found - from < bytesMax) return { end: at + found - from + 1, whole: true };
    seen = Math.min(window.count - from, bytesMax);
    if (window.atEnd || seen >= bytesMax) return { end: at + seen, whole: false };
  }
}

function makeParser({ crc32, hex32 }) {
  let scratch = new Uint8Array(4096);

  /**
   * Fills `record` from bytes[start, end), a line with its line feed. Returns what is wrong with
   * it.
   */
  return function parseLine(bytes, start, end, record) {
    if (end - start < LINE_BYTES_MIN) return ['bad-line', `${end - start} bytes are no line`];
    const tabs = [];
    for (let i = bytes.indexOf(TAB, start); i >= 0 && i < end; i = bytes.indexOf(TAB, i + 1)) {
      tabs.push(i);
    }
    if (tabs.length !== 4) return ['bad-line', `${tabs.length + 1} fields, expected 5`];
    const [afterSeq, afterOp, afterKey, afterValue] = tabs;

    const stored = Buffer.from(bytes.subarray(afterValue + 1, end - 1)).toString('latin1');
    const computed = hex32(crc32.of(bytes, start, afterValue + 1));
    if (stored.length !== CRC_DIGITS || stored !== computed) {
      return ['crc-mismatch', `stored ${JSON.stringify(stored)}, computed ${computed}`];
    }
    const seq = Buffer.from(bytes.subarray(start, afterSeq)).toString('latin1');
    if (!/^[1-9]\d{0,19}$/.test(seq) || BigInt(seq) >= 1n << 64n) {
      return ['bad-seq', `seq is ${JSON.stringify(seq)}; the checksum holds`];
    }
    const op = Buffer.from(bytes.subarray(afterSeq + 1, afterOp)).toString('latin1');
    if (!OPS.includes(op)) return ['bad-op', `op is ${JSON.stringify(op)}; the checksum holds`];

    if (scratch.length < end - start) scratch = new Uint8Array(2 * (end - start));
    const keyEnd = unescapeInto(scratch, 0, bytes, afterOp + 1, afterKey);
    const valueEnd =
      keyEnd < 0 ? -1 : unescapeInto(scratch, keyEnd, bytes, afterKey + 1, afterValue);
    if (valueEnd < 0) return ['bad-escape', 'a backslash is not followed by t, n or \\'];

    record.seqHigh = Number(BigInt(seq) >> 32n);
    record.seqLow = Number(BigInt(seq) & 0xffff_ffffn);
    record.op = op;
    record.bytes = scratch;
    record.keyStart = 0;
    record.keyEnd = keyEnd;
    record.valueStart = keyEnd;
    record.valueEnd = valueEnd;
    // For the layout: where the line's fields end, counted from its start.
    record.fieldEnds = tabs.map((tab) => tab - start);
    record.crc = stored;
    return undefined;
  };
}

function damagedLine(file, offset, end, [code, message]) {
  return {
    code,
    severity: 'error',
    file,
    offset,
    length: end - offset,
    message,
    evidence: `a line feed ends it at ${end}`,
    repair: DROP,
    records: 2,
    tail: false,
    lost: true,
  };
}

/** The file ends inside a line, or the line is longer than what is read at once. */
function endlessLine(file, offset, end, atEnd) {
  return {
    code: atEnd ? 'torn-tail' : 'bad-line',
    severity: 'error',
    file,
    offset,
    length: end - offset,
    message: `${end - offset} bytes without a line feed`,
    evidence: atEnd ? 'the file ends here' : 'the limit for a record is reached',
    repair: DROP,
    records: Number.POSITIVE_INFINITY,
    tail: atEnd,
    lost: true,
  };
}
