/** Finite state entropy: tables of states, by the distribution of symbols (RFC 8878, 4.1). */

export interface FseTable {
  /** Accuracy log: there are 1 << log states. */
  log: number;
  symbol: Uint8Array;
  bits: Uint8Array;
  base: Uint16Array;
}

/** The table of a distribution; -1 stands for "less than one". */
export function fseTable(
  counts: Int16Array | readonly number[],
  symbols: number,
  log: number,
): FseTable {
  const size = 1 << log;
  const symbol = new Uint8Array(size);
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  const next = new Uint16Array(symbols);
  let high = size;
  for (let s = 0; s < symbols; s++) {
    if (counts[s] === -1) {
      symbol[--high] = s;
      next[s] = 1;
    } else next[s] = counts[s]!;
  }
  const step = (size >>> 1) + (size >>> 3) + 3;
  let at = 0;
  for (let s = 0; s < symbols; s++) {
    for (let i = 0; i < counts[s]!; i++) {
      symbol[at] = s;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  for (let i = 0; i < size; i++) {
    const state = next[symbol[i]!]!++;
    const width = log - (31 - Math.clz32(state));
    bits[i] = width;
    base[i] = (state << width) - size;
  }
  return { log, symbol, bits, base };
}

/** A table of one symbol, which takes no bits. */
export function rleTable(symbol: number): FseTable {
  return {
    log: 0,
    symbol: Uint8Array.of(symbol),
    bits: new Uint8Array(1),
    base: new Uint16Array(1),
  };
}

export interface ReadTable {
  table: FseTable;
  /** Where the description ends. */
  end: number;
}

/** Reads the description of a distribution, forwards. Undefined: it is none. */
export function readFse(
  bytes: Uint8Array,
  start: number,
  end: number,
  symbolsMax: number,
  logMax: number,
): ReadTable | undefined {
  let bit = 0;
  const total = 8 * (end - start);
  const peek = (count: number): number => {
    const at = start + (bit >>> 3);
    let word = 0;
    for (let i = 3; i >= 0; i--) word = (word << 8) | (at + i < end ? bytes[at + i]! : 0);
    return (word >>> (bit & 7)) & ((1 << count) - 1);
  };
  const log = peek(4) + 5;
  bit += 4;
  if (log > logMax) return undefined;
  const counts = new Int16Array(symbolsMax);
  let remaining = (1 << log) + 1;
  let symbol = 0;
  while (remaining > 1 && symbol < symbolsMax) {
    const width = 32 - Math.clz32(remaining);
    let value = peek(width);
    const low = (1 << (width - 1)) - 1;
    const threshold = (1 << width) - 1 - remaining;
    if ((value & low) < threshold) {
      bit += width - 1;
      value &= low;
    } else {
      bit += width;
      if (value > low) value -= threshold;
    }
    const count = value - 1;
    remaining -= count < 0 ? -count : count;
    counts[symbol++] = count;
    if (count !== 0) continue;
    for (;;) {
      const zeros = peek(2);
      bit += 2;
      symbol += zeros;
      if (symbol > symbolsMax) return undefined;
      if (zeros < 3) break;
    }
  }
  if (remaining !== 1 || bit > total) return undefined;
  return { table: fseTable(counts, symbol, log), end: start + ((bit + 7) >>> 3) };
}
