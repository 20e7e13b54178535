// The number of a page as an argument.
import { describe, expect, it } from 'vitest';
import { ddia } from './run.ts';

const FILE = 'fixtures/btree/lmdb/data.mdb';

describe('btree page', () => {
  it('prints the page', () => {
    const { status, stdout } = ddia(['btree', 'page', FILE, '31']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^page 31 @ 126976 {2}leaf\n/);
  });

  it.each(['abc', '1.5', '99999999999999999999', '', FILE])('takes no %j for a number', (page) => {
    const { status, stderr } = ddia(['btree', 'page', FILE, page]);
    expect(status).toBe(2);
    expect(stderr).toContain(`no number of a page: ${JSON.stringify(page)}`);
  });

  it('says which pages there are', () => {
    const { status, stderr } = ddia(['btree', 'page', FILE, '45']);
    expect(status).toBe(3);
    expect(stderr).toContain('data.mdb has pages 0 to 44');
  });
});
