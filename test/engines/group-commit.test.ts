import { describe, expect, it } from 'vitest';
import { GroupCommit } from '../../src/engines/group-commit.ts';
import type { DdiaError } from '../../src/shared/errors.ts';

function join(commit: GroupCommit, seq: number): Promise<number> {
  return new Promise((resolve, reject) => commit.join(seq, resolve, reject));
}

describe('group commit', () => {
  it('writes once for all that join in one turn', async () => {
    const writes: boolean[] = [];
    const commit = new GroupCommit('log', (sync) => writes.push(sync));
    const joined = [1, 2, 3].map((seq) => join(commit, seq));
    expect(writes).toEqual([]);
    expect(await Promise.all(joined)).toEqual([1, 2, 3]);
    expect(writes).toEqual([false]);
    await join(commit, 4);
    expect(writes).toEqual([false, false]);
  });

  it('tells those who wait when it is flushed at once', async () => {
    const writes: boolean[] = [];
    const commit = new GroupCommit('log', (sync) => writes.push(sync));
    const joined = join(commit, 7);
    commit.flush(true);
    expect(writes).toEqual([true]);
    expect(await joined).toBe(7);
  });

  it('takes nothing more after a failure, and says why', async () => {
    let failing = true;
    const commit = new GroupCommit('log', () => {
      if (failing) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    });
    const first = await Promise.allSettled([join(commit, 1), join(commit, 2)]);
    failing = false;
    const later = await Promise.allSettled([join(commit, 3)]);
    for (const result of [...first, ...later]) {
      expect(result.status).toBe('rejected');
      const { code, message, hint } = (result as PromiseRejectedResult).reason as DdiaError;
      expect(code).toBe('poisoned');
      expect(message).toBe(
        'a write or sync of the log failed (ENOSPC: no space left): nothing more is accepted',
      );
      expect(hint).toBe('close the log and open it again: what is durable is read back');
    }
    expect(commit.usable).toBe(false);
    expect(() => commit.checkUsable()).toThrow(/nothing more is accepted/);
  });

  it('rejects those who wait when something else has poisoned it', async () => {
    const commit = new GroupCommit('log', () => {});
    const joined = join(commit, 1);
    const told = commit.poison(new Error('the manifest could not be written'));
    await expect(joined).rejects.toBe(told);
    expect(commit.poison(new Error('another'))).toBe(told);
  });

  it('is closed to whoever comes later', async () => {
    const commit = new GroupCommit('log', () => {});
    commit.closed = true;
    await expect(join(commit, 1)).rejects.toThrow('the log is closed');
  });
});
