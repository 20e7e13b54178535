import { describe, expect, it } from 'vitest';
import { tokensOf } from '../../../src/formats/btree/sqlite/tokens.ts';

const of = (sql: string): string[] => tokensOf(sql).map(({ type, text }) => `${type} ${text}`);

describe('tokens of SQL', () => {
  it('in quotes end at a quote that is not doubled', () => {
    expect(of(`'it''s' "a""b" \`c\`\`d\` [e"f] ''''`)).toEqual([
      "string it's",
      'quoted a"b',
      'quoted c`d',
      'quoted e"f',
      "string '",
    ]);
    expect(tokensOf(`x  'a'`).map(({ at }) => at)).toEqual([0, 3]);
  });

  it('are a blob only with pairs of digits', () => {
    expect(of(`x'00fF' X'' x'0' xx'00' x'zz' y`)).toEqual([
      'blob 00fF',
      'blob ',
      'id x',
      'string 0',
      'id xx',
      'string 00',
      'id x',
      'string zz',
      'id y',
    ]);
  });

  it('end where a quote is not closed', () => {
    expect(of(`a 'b`)).toEqual(['id a', "bad '"]);
    expect(of(`a x'b''`)).toEqual(['id a', "bad x'"]);
  });

  it('may be of many MiB', () => {
    const doubled = "''".repeat(8_000_000);
    expect(tokensOf(`'${doubled}'`)[0]!.text).toHaveLength(8_000_000);
    expect(tokensOf(`x'${'ab'.repeat(8_000_000)}'`)[0]!.type).toBe('blob');
    expect(tokensOf(`/*${'*'.repeat(8_000_000)}*/ a--${'-'.repeat(8_000_000)}`)).toHaveLength(1);
  });
});
