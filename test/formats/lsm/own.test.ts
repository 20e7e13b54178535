import { expect, it } from 'vitest';
import { Random } from '../../../src/shared/random.ts';
import { content, verify } from './databases.ts';
import { randomStore } from './own-stores.ts';

it('healthy', async () => {
  for (let seed = 1; seed < 30; seed++) {
    const made = await randomStore(new Random(seed));
    const result = await verify(made.files);
    expect({ seed, f: result.findings }).toEqual({ seed, f: [] });
    expect((await verify(made.files, true)).findings).toEqual([]);
    const { lines } = await content(made.files);
    const hex = (s: string) => Buffer.from(s).toString('hex');
    expect(lines).toEqual(
      made.content.map((one) => {
        const [k, v] = one.split('=');
        return `${hex(k!)} ${hex(v!)}`;
      }),
    );
  }
});
