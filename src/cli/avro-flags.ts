/** Flags that several commands on Avro share. */
import { Flags } from '@oclif/core';
import type { ModeOptions } from '../formats/avro/codec/mode.ts';
import type { Packing } from './avro-encode.ts';

const ENCODINGS = ['plain', 'avro'] as const;

export const encodingFlag = {
  'json-encoding': Flags.option({ options: ENCODINGS, default: 'plain' as const })({
    description: 'unions bare and bytes as {"hex": …}, or as the specification has it',
  }),
};

/** How values are put into JSON. */
export const jsonFlags = {
  ...encodingFlag,
  logical: Flags.boolean({ description: 'dates as dates, decimals as decimals' }),
};

export function modeOf(flags: {
  'json-encoding': (typeof ENCODINGS)[number];
  logical: boolean;
}): ModeOptions {
  return { mode: flags['json-encoding'], logical: flags.logical };
}

/** How payloads are told apart. */
export const packingFlags = {
  hex: Flags.boolean({
    description: 'payloads as lines of hex digits',
    exclusive: ['base64', 'length-prefixed'],
  }),
  base64: Flags.boolean({
    description: 'payloads as lines of base64',
    exclusive: ['hex', 'length-prefixed'],
  }),
  'length-prefixed': Flags.boolean({
    description: 'payloads with their length before them, four bytes, the most significant first',
    exclusive: ['hex', 'base64'],
  }),
};

export function packingOf(flags: {
  hex: boolean;
  base64: boolean;
  'length-prefixed': boolean;
}): Packing {
  if (flags.hex) return 'hex';
  if (flags.base64) return 'base64';
  return flags['length-prefixed'] ? 'length-prefixed' : 'binary';
}
