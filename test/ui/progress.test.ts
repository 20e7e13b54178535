import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Progress, writeStderr } from '../../src/ui/progress.ts';

const clock = vi.hoisted(() => ({ now: 0 }));
vi.mock('../../src/shared/clock.ts', () => ({ milliseconds: () => clock.now }));

const terminal = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
let written = '';
/** What has been written since it was asked last. */
const seen = () => {
  const text = written;
  written = '';
  return text;
};

beforeEach(() => {
  written = '';
  // By this one the library draws ten times a second at most.
  vi.spyOn(Date, 'now').mockImplementation(() => clock.now);
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  if (terminal) Object.defineProperty(process.stderr, 'isTTY', terminal);
  else delete (process.stderr as { isTTY?: boolean }).isTTY;
});

/** So late that a bar is due, with the library loaded. */
async function late(progress: Progress): Promise<void> {
  clock.now += 1000;
  progress.update('a.log', 1, 100);
  await vi.waitFor(() => {
    clock.now += 1000;
    progress.update('a.log', 50, 100);
    expect(written).toContain('50%');
  });
}

describe('Progress', () => {
  it('shows nothing of what is done at once', () => {
    const progress = new Progress();
    clock.now += 400;
    progress.update('a.log', 50, 100);
    progress.end();
    expect(seen()).toBe('');
  });

  it('shows how far a file has been read, until the end', async () => {
    const progress = new Progress();
    await late(progress);
    expect(seen()).toContain('a.log');
    clock.now += 1000;
    progress.update('b.log', 75, 100);
    expect(seen()).toMatch(/b\.log .*75% of 100 bytes/);
    progress.end();
    seen();
    clock.now += 1000;
    progress.update('b.log', 80, 100);
    expect(seen()).toBe('');
  });

  it('makes way for a line on stderr, and comes back', async () => {
    const progress = new Progress();
    await late(progress);
    seen();
    writeStderr('error: bad-crc\n');
    // The line of the bar is cleared before, by the escape sequences for that.
    const text = seen();
    expect(text).toMatch(/error: bad-crc\n$/);
    expect(text.indexOf('\x1b[')).toBe(0);
    clock.now += 1000;
    progress.update('a.log', 60, 100);
    expect(seen()).toContain('60%');
    progress.end();
  });

  it('shows nothing where stderr is no terminal', async () => {
    Object.defineProperty(process.stderr, 'isTTY', { value: false, configurable: true });
    const progress = new Progress();
    clock.now += 1000;
    progress.update('a.log', 1, 100);
    await new Promise((resolve) => setImmediate(resolve));
    clock.now += 1000;
    progress.update('a.log', 50, 100);
    progress.end();
    expect(seen()).toBe('');
  });
});
