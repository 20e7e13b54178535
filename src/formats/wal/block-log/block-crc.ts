/**
 * Checksums of spans inside one block at a cost that does not depend on their length: a search
 * tries each byte as the start of a fragment. A CRC register is a polynomial over GF(2), and
 * running it over n zero bytes multiplies it by x^(8n). So the register over [a, b) follows from
 * the registers at a and at b of one run over the block:
 *
 *     register([a, b), from r) = R(b) ^ (r ^ R(a)) * x^(8(b-a))
 */
import { crc32c } from '../../../shared/crc32.ts';
import { BLOCK_BYTES } from './constants.ts';

/**
 * x^(8n) for n up to a block, reflected: the highest bit is the coefficient of x^0. Made when
 * first needed.
 */
let powers: Int32Array | undefined;

function makePowers(): Int32Array {
  const table = new Int32Array(BLOCK_BYTES + 1);
  let power = 1 << 31;
  for (let n = 0; n <= BLOCK_BYTES; n++) {
    table[n] = power;
    power = crc32c.updateByte(power, 0);
  }
  return table;
}

/** Product of two polynomials modulo that of CRC-32C. */
function multiply(a: number, b: number): number {
  const { polynomial } = crc32c;
  let product = 0;
  // Without branches, which could not be predicted. Bit 31 set: x^0 is in what remains of a.
  for (; a !== 0; a <<= 1) {
    product ^= b & (a >> 31);
    b = (b >>> 1) ^ (polynomial & -(b & 1));
  }
  return product;
}

export class BlockCrc {
  /** Registers at each byte from #from up to and with #upTo, which are file offsets. */
  readonly #registers = new Int32Array(BLOCK_BYTES + 1);
  #from = 0;
  #upTo = -1;

  /**
   * The register after [start, end), file offsets inside one block, begun with `register`.
   * `bytes[0]` is at file offset `base`.
   */
  span(register: number, bytes: Uint8Array, base: number, start: number, end: number): number {
    // Only differences count, so any place will do to begin at, with 0 as the register there. What
    // lies before `start` may be gone from memory.
    if (start < this.#from || start > this.#upTo || end > this.#from + BLOCK_BYTES) {
      this.#from = this.#upTo = start;
      this.#registers[0] = 0;
    }
    if (end > this.#upTo) this.#reach(bytes, base, end);
    powers ??= makePowers();
    const before = this.#registers[start - this.#from]!;
    const after = this.#registers[end - this.#from]!;
    return after ^ multiply(register ^ before, powers[end - start]!);
  }

  #reach(bytes: Uint8Array, base: number, end: number): void {
    const { table } = crc32c;
    const registers = this.#registers;
    let slot = this.#upTo - this.#from;
    let register = registers[slot]!;
    for (let at = this.#upTo - base; at < end - base; at++) {
      register = (register >>> 8) ^ table[(register ^ bytes[at]!) & 255]!;
      registers[++slot] = register;
    }
    this.#upTo = end;
  }
}
