import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { LINE_BYTES_MAX, openForReading, readLines } from '../../src/io/lines.ts';

const directory = mkdtempSync(join(tmpdir(), 'ddia-lines-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function linesOf(path: string, see: (line: Buffer, number: number) => void): Promise<void> {
  const { fd, close } = openForReading(path);
  try {
    await readLines(fd, see);
  } finally {
    close();
  }
}

describe('lines', () => {
  it('come as they are, however long, with their numbers', async () => {
    const path = join(directory, 'mixed');
    const length = fc.oneof(
      fc.nat(40),
      fc.nat(600_000),
      fc.constantFrom(262_143, 262_144, 524_288),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(length, { maxLength: 8 }), fc.boolean(), async (lengths, open) => {
        const lines = lengths.map((bytes, index) => Buffer.alloc(bytes, 97 + index));
        const ended = lines.flatMap((line) => [line, Buffer.from('\n')]);
        // A last line without a newline counts, unless it is empty.
        const cut = open && (lines.at(-1)?.length ?? 0) > 0;
        writeFileSync(path, Buffer.concat(cut ? ended.slice(0, -1) : ended));
        const seen: number[] = [];
        await linesOf(path, (line, number) => {
          expect(line.equals(lines[number - 1]!)).toBe(true);
          seen.push(number);
        });
        expect(seen).toEqual(lines.map((_, index) => index + 1));
      }),
      { numRuns: 40 },
    );
  });

  it('of many pieces are put together once, and end at the limit', async () => {
    // A file with a hole costs nothing on the disk: one line of zeros.
    const path = join(directory, 'long');

    writeFileSync(path, 'first\n');
    truncateSync(path, 6 + 64 * 1024 * 1024);
    const copy = vi.spyOn(Buffer.prototype, 'copy');
    const lengths: number[] = [];
    await linesOf(path, (line) => lengths.push(line.length));
    const copied = copy.mock.results.reduce((sum, { value }) => sum + value, 0);
    copy.mockRestore();
    expect(lengths).toEqual([5, 64 * 1024 * 1024]);
    // Each piece put behind a copy of all before it would be 8 GiB.
    expect(copied).toBeGreaterThanOrEqual(64 * 1024 * 1024);
    expect(copied).toBeLessThan(4 * 64 * 1024 * 1024);

    truncateSync(path, 6 + LINE_BYTES_MAX + 1);
    const over = linesOf(path, () => {});
    await expect(over).rejects.toThrow(
      `line 2 has ${LINE_BYTES_MAX + 1} bytes or more, the limit is ${LINE_BYTES_MAX}`,
    );
  });
});
