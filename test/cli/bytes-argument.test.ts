import { describe, expect, it } from 'vitest';
import { parseBytes, parseHex } from '../../src/cli/bytes-argument.ts';
import { parseOffset } from '../../src/cli/offset-argument.ts';
import { DdiaError } from '../../src/shared/errors.ts';

const hex = (text: string): string => Buffer.from(parseBytes(text)).toString('hex');

function failure(run: () => unknown): DdiaError {
  try {
    run();
  } catch (error) {
    if (error instanceof DdiaError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

describe('parseBytes', () => {
  it.each([
    ['', ''],
    ['user:1', '757365723a31'],
    ['値', 'e580a4'],
    ['hex:', ''],
    ['hex:00fF', '00ff'],
    ['base64:', ''],
    ['base64:AP8=', '00ff'],
    ['base64:AP8', '00ff'],
    ['base64:-_8=', 'fbff'],
    ['base64:+/8=', 'fbff'],
    ['utf8:hex:00', '6865783a3030'],
    ['HEX:00', '4845583a3030'],
  ])('%s', (text, expected) => expect(hex(text)).toBe(expected));

  it.each(['hex:0', 'hex:0g', 'hex: 00', 'base64:A', 'base64:A===', 'base64:AP8==', 'base64:!!'])(
    'refuses %s',
    (text) => {
      const { code, exit } = failure(() => parseBytes(text));
      expect({ code, exit }).toEqual({ code: 'bad-bytes', exit: 2 });
    },
  );

  it('says how many digits there are', () => {
    expect(failure(() => parseHex('abc')).message).toBe('hex:abc has an odd number of digits: 3');
  });
});

describe('parseOffset', () => {
  it.each([
    ['0', 0],
    ['209', 209],
    ['0xD1', 209],
    ['9007199254740991', 2 ** 53 - 1],
  ])('%s', (text, expected) => expect(parseOffset(text, '--at')).toBe(expected));

  it.each(['', '-1', '1.5', '1e3', '0x', '9007199254740992', 'x'])('refuses %j', (text) => {
    const { code, exit, message } = failure(() => parseOffset(text, '--at'));
    expect({ code, exit }).toEqual({ code: 'bad-number', exit: 2 });
    expect(message).toContain('--at');
  });
});
