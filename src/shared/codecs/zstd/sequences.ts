/** Sequences: how literals and matches take turns (RFC 8878, 3.1.1.3.2). */
import { BackwardBits, viewFor } from './bits.ts';
import { type Kind, LITERAL_BASE, LITERAL_BITS, MATCH_BASE, MATCH_BITS } from './codes.ts';
import { type FseTable, readFse, rleTable } from './fse.ts';

/** Tables that the next block may use again. */
export interface Tables {
  literals: FseTable | undefined;
  offsets: FseTable | undefined;
  matches: FseTable | undefined;
}

/** Reads one table's description by its mode. Undefined: there is none such. */
export function readTable(
  kind: Kind,
  mode: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  previous: FseTable | undefined,
): { table: FseTable; end: number } | undefined {
  if (mode === 0) return { table: kind.predefined, end: start };
  if (mode === 3) return previous && { table: previous, end: start };
  if (mode === 2) return readFse(bytes, start, end, kind.symbolsMax, kind.logMax);
  if (start >= end || bytes[start]! >= kind.symbolsMax) return undefined;
  return { table: rleTable(bytes[start]!), end: start + 1 };
}

/** Where a block's bytes go, and what came before them. */
export interface Output {
  bytes: Uint8Array;
  at: number;
  /** The limit, and whether it stopped something. */
  end: number;
  full: boolean;
  /** What stands before bytes[0], as it were. */
  dictionary: Uint8Array | undefined;
  /** The last three offsets. */
  repeated: Int32Array;
}

const stream = new BackwardBits();

/** Carries out `count` sequences. False: the bits do not fit, or lead somewhere else. */
export function runSequences(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  tables: { literals: FseTable; offsets: FseTable; matches: FseTable },
  literals: Uint8Array,
  literalBytes: number,
  output: Output,
): boolean {
  const { bytes: out, dictionary, repeated } = output;
  const before = dictionary?.length ?? 0;
  let { at } = output;
  if (!stream.open(bytes, start, end)) return false;
  const { literals: ll, offsets: of, matches: ml } = tables;
  const { symbol: llSymbol, bits: llBits, base: llBase } = ll;
  const { symbol: ofSymbol, bits: ofBits, base: ofBase } = of;
  const { symbol: mlSymbol, bits: mlBits, base: mlBase } = ml;
  const view = viewFor(bytes);
  const lastWord = bytes.length - 4;
  let llState = stream.read(ll.log);
  let ofState = stream.read(of.log);
  let mlState = stream.read(ml.log);
  let taken = 0;
  for (let n = 0; n < count; n++) {
    const offsetCode = ofSymbol[ofState]!;
    const matchCode = mlSymbol[mlState]!;
    const literalCode = llSymbol[llState]!;
    const matchBits = MATCH_BITS[matchCode]!;
    const literalBits = LITERAL_BITS[literalCode]!;
    const more = n + 1 < count;
    const values = offsetCode + matchBits + literalBits;
    const states = llBits[llState]! + mlBits[mlState]! + ofBits[ofState]!;
    let from = stream.left - values;
    let p = start + (from >>> 3);
    let offsetValue: number;
    let match: number;
    let run: number;
    // One word for the three values and one for the three states, where they fit and are there.
    if (values <= 25 && states <= 25 && from >= 32 && p <= lastWord) {
      let word = view.getInt32(p, true) >>> (from & 7);
      run = LITERAL_BASE[literalCode]! + (word & ((1 << literalBits) - 1));
      word >>>= literalBits;
      match = MATCH_BASE[matchCode]! + (word & ((1 << matchBits) - 1));
      offsetValue = (1 << offsetCode) + ((word >>> matchBits) & ((1 << offsetCode) - 1));
      if (more) {
        from -= states;
        p = start + (from >>> 3);
        word = view.getInt32(p, true) >>> (from & 7);
        const ofWidth = ofBits[ofState]!;
        const mlWidth = mlBits[mlState]!;
        ofState = ofBase[ofState]! + (word & ((1 << ofWidth) - 1));
        word >>>= ofWidth;
        mlState = mlBase[mlState]! + (word & ((1 << mlWidth) - 1));
        llState = llBase[llState]! + ((word >>> mlWidth) & ((1 << llBits[llState]!) - 1));
      }
      stream.left = from;
    } else {
      offsetValue = 2 ** offsetCode + stream.read(offsetCode);
      match = MATCH_BASE[matchCode]! + stream.read(matchBits);
      run = LITERAL_BASE[literalCode]! + stream.read(literalBits);
      if (more) {
        llState = llBase[llState]! + stream.read(llBits[llState]!);
        mlState = mlBase[mlState]! + stream.read(mlBits[mlState]!);
        ofState = ofBase[ofState]! + stream.read(ofBits[ofState]!);
      }
    }
    const offset = offsetOf(offsetValue, run === 0, repeated);
    if (stream.left < 0 || taken + run > literalBytes) return false;
    output.full = at + run + match > output.end;
    if (output.full || offset <= 0 || offset > at + run + before) return false;
    if (run <= 24) for (const to = taken + run; taken < to; ) out[at++] = literals[taken++]!;
    else {
      out.set(literals.subarray(taken, taken + run), at);
      taken += run;
      at += run;
    }
    from = at - offset;
    for (; from < 0 && match > 0; match--) out[at++] = dictionary![before + from++]!;
    if (match > 32 && offset >= match) {
      out.copyWithin(at, from, from + match);
      at += match;
    } else for (const to = at + match; at < to; ) out[at++] = out[from++]!;
  }
  if (stream.left !== 0) return false;
  const rest = literalBytes - taken;
  output.full = at + rest > output.end;
  if (output.full) return false;
  out.set(literals.subarray(taken, literalBytes), at);
  output.at = at + rest;
  return true;
}

/** Values up to 3 repeat one of the last three offsets. */
function offsetOf(value: number, noLiterals: boolean, repeated: Int32Array): number {
  if (value > 3) {
    repeated[2] = repeated[1]!;
    repeated[1] = repeated[0]!;
    repeated[0] = value - 3;
    return value - 3;
  }
  const which = noLiterals ? value : value - 1;
  const offset = which === 3 ? repeated[0]! - 1 : repeated[which]!;
  if (which === 0) return offset;
  if (which > 1) repeated[2] = repeated[1]!;
  repeated[1] = repeated[0]!;
  repeated[0] = offset;
  return offset;
}
