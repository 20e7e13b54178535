/** How values of Avro are put into JavaScript or JSON. */

/**
 * `native`: what JavaScript has for it: BigInt beyond 2^53 - 1, Uint8Array, NaN.
 * `plain`: what JSON has for it: unions bare, bytes and fixed as `{"hex": …}`, integers beyond
 * 2^53 - 1 as strings of digits, NaN and infinities as words.
 * `avro`: the specification's JSON encoding: `{"string": "x"}` for a branch that is not null, bytes
 * and fixed as strings of the code points 0 to 255.
 */
export type Mode = 'native' | 'plain' | 'avro';

export interface ModeOptions {
  mode: Mode;
  /** Dates as dates, decimals as decimals. */
  logical: boolean;
}

/**
 * What writers take. `value`: unions bare, bytes as they are or as objects of hex or base64;
 * `avro`: the specification's JSON encoding.
 */
export type WriteMode = 'value' | 'avro';
