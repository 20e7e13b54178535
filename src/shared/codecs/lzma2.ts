/**
 * The decoder of LZMA2, which xz files hold: chunks, stored or compressed with LZMA, which may each
 * reset the state, the properties and the dictionary. After the LZMA specification
 * (https://www.7-zip.org/sdk.html) and the .xz format's
 * (https://tukaani.org/xz/xz-file-format.txt, 5.3.1).
 */
import { CodecFault, tooMuch } from './block-codec.ts';
import {
  afterLiteral,
  afterMatch,
  afterRepeat,
  afterShortRepeat,
  LENGTH_HIGH,
  LENGTH_LOW,
  LENGTH_MIDDLE,
  LzmaModel,
  MATCH_MIN,
  POSITIONS,
  SPECIAL_SLOTS,
} from './lzma-model.ts';

export class Lzma2Decoder {
  out: Buffer;
  count = 0;
  #at: number;
  #end = 0;
  #range = 0;
  #code = 0;
  #dictionary = 0;
  readonly #model = new LzmaModel();

  constructor(
    readonly bytes: Uint8Array,
    start: number,
    readonly bytesMax: number,
  ) {
    this.#at = start;
    this.out = Buffer.allocUnsafe(Math.min(bytesMax, (bytes.length - start) * 4 + 1024));
  }

  /** Decodes up to the mark of the end, and returns where that is. */
  run(): number {
    let ready = false;
    let known = false;
    for (;;) {
      const control = this.#byte();
      if (control === 0) return this.#at;
      if (control === 1 || control >= 0xe0) {
        this.#dictionary = this.count;
        ready = true;
      } else if (!ready) throw new CodecFault('LZMA2 begins without a dictionary');
      if (control < 0x80) {
        if (control > 2) throw new CodecFault(`LZMA2 has no chunk ${control}`);
        this.#stored(this.#pair() + 1);
        continue;
      }
      const size = ((control & 0x1f) << 16) + this.#pair() + 1;
      const packed = this.#pair() + 1;
      if (control >= 0xc0) {
        const byte = this.#byte();
        if (!this.#model.properties(byte)) throw new CodecFault(`LZMA has no properties ${byte}`);
        known = true;
      } else if (!known) throw new CodecFault('LZMA2 begins without properties');
      if (control >= 0xa0) this.#model.reset();
      this.#chunk(size, packed);
    }
  }

  #byte(): number {
    if (this.#at >= this.bytes.length) throw new CodecFault('LZMA2 ends too soon');
    return this.bytes[this.#at++]!;
  }

  #pair(): number {
    return this.#byte() * 256 + this.#byte();
  }

  #reserve(more: number): void {
    const wanted = this.count + more;
    if (wanted <= this.out.length) return;
    if (wanted > this.bytesMax) throw tooMuch(this.bytesMax);
    const grown = Buffer.allocUnsafe(Math.min(this.bytesMax, wanted * 2));
    this.out.copy(grown, 0, 0, this.count);
    this.out = grown;
  }

  #stored(size: number): void {
    const there = Math.min(size, this.bytes.length - this.#at);
    this.#reserve(there);
    this.out.set(this.bytes.subarray(this.#at, this.#at + there), this.count);
    this.count += there;
    this.#at += there;
    if (there < size) throw new CodecFault('LZMA2 ends too soon');
  }

  #chunk(size: number, packed: number): void {
    const end = this.#at + packed;
    // A chunk that is cut off is decoded as far as it goes: what came out may be asked for.
    this.#end = Math.min(end, this.bytes.length);
    if (this.#end - this.#at < 5) throw new CodecFault('LZMA2 ends too soon');
    this.#reserve(size);
    this.#range = -1;
    this.#at++;
    this.#code = 0;
    for (let i = 0; i < 4; i++) this.#code = (this.#code << 8) | this.bytes[this.#at++]!;
    const target = this.count + size;
    while (this.count < target) this.#symbol(target);
    if (this.#at !== end) throw new CodecFault('a chunk of LZMA2 has another size');
  }

  #bit(table: Uint16Array, index: number): number {
    const probability = table[index]!;
    const bound = Math.imul(this.#range >>> 11, probability);
    let bit = 0;
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      table[index] = probability + ((2048 - probability) >> 5);
    } else {
      this.#range -= bound;
      this.#code -= bound;
      table[index] = probability - (probability >> 5);
      bit = 1;
    }
    if (this.#range >>> 24 === 0) this.#normalize();
    return bit;
  }

  #normalize(): void {
    if (this.#at >= this.#end) throw new CodecFault('a chunk of LZMA2 ends too soon');
    this.#range <<= 8;
    this.#code = (this.#code << 8) | this.bytes[this.#at++]!;
  }

  #direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.#range >>>= 1;
      const bit = this.#code >>> 0 >= this.#range >>> 0 ? 1 : 0;
      if (bit) this.#code -= this.#range;
      value = (value << 1) | bit;
      if (this.#range >>> 24 === 0) this.#normalize();
    }
    return value;
  }

  #tree(table: Uint16Array, base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | this.#bit(table, base + node);
    return node - (1 << bits);
  }

  #reverseTree(table: Uint16Array, base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(table, base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  #symbol(target: number): void {
    const model = this.#model;
    const { state } = model;
    const position = this.count - this.#dictionary;
    const at = position & model.pbMask;
    if (this.#bit(model.isMatch, state * POSITIONS + at) === 0) {
      this.#putLiteral(position);
      return;
    }
    let length: number;
    if (this.#bit(model.isRep, state) === 0) {
      model.reps.copyWithin(1, 0, 3);
      length = this.#decodeLength(model.length, at);
      model.reps[0] = this.#distance(length);
      model.state = afterMatch(state);
    } else {
      if (this.#repeat(state, at)) {
        model.state = afterShortRepeat(state);
        this.#copy(1, target);
        return;
      }
      length = this.#decodeLength(model.repLength, at);
      model.state = afterRepeat(state);
    }
    this.#copy(length, target);
  }

  #putLiteral(position: number): void {
    const { out, count } = this;
    const model = this.#model;
    const base = model.literalBase(position, position > 0 ? out[count - 1]! : 0);
    const table = model.literal;
    let symbol = 1;
    if (model.state >= 7) {
      const distance = model.reps[0]!;
      let match = distance < position ? out[count - distance - 1]! : 0;
      let offset = 0x100;
      while (symbol < 0x100) {
        match <<= 1;
        const wanted = match & offset;
        const bit = this.#bit(table, base + offset + wanted + symbol);
        symbol = (symbol << 1) | bit;
        offset &= bit ? wanted : ~wanted;
      }
    } else while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(table, base + symbol);
    out[this.count++] = symbol;
    model.state = afterLiteral(model.state);
  }

  /** Which of the last four distances comes again; true: for a single byte. */
  #repeat(state: number, at: number): boolean {
    const model = this.#model;
    const { reps } = model;
    if (this.#bit(model.isRepG0, state) === 0) {
      return this.#bit(model.isRep0Long, state * POSITIONS + at) === 0;
    }
    let which = 1;
    if (this.#bit(model.isRepG1, state) !== 0) which = 2 + this.#bit(model.isRepG2, state);
    const distance = reps[which]!;
    reps.copyWithin(1, 0, which);
    reps[0] = distance;
    return false;
  }

  #decodeLength(table: Uint16Array, at: number): number {
    if (this.#bit(table, 0) === 0) return MATCH_MIN + this.#tree(table, LENGTH_LOW + at * 8, 3);
    if (this.#bit(table, 1) === 0) {
      return MATCH_MIN + 8 + this.#tree(table, LENGTH_MIDDLE + at * 8, 3);
    }
    return MATCH_MIN + 16 + this.#tree(table, LENGTH_HIGH, 8);
  }

  #distance(length: number): number {
    const model = this.#model;
    const slot = this.#tree(model.slots, LzmaModel.slotBase(length), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) << bits;
    if (slot < SPECIAL_SLOTS) return base + this.#reverseTree(model.special, base - slot, bits);
    return base + (this.#direct(bits - 4) << 4) + this.#reverseTree(model.align, 0, 4);
  }

  #copy(length: number, target: number): void {
    const distance = this.#model.reps[0]! + 1;
    const { count } = this;
    if (distance <= 0 || distance > count - this.#dictionary || count + length > target) {
      throw new CodecFault('LZMA copies what is not there');
    }
    const { out } = this;
    for (let i = 0; i < length; i++) out[count + i] = out[count + i - distance]!;
    this.count = count + length;
  }
}
