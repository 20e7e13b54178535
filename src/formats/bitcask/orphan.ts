/** A hint file whose data file is gone: does it tell of keys that have nothing newer? */
import type { Finding } from '../format.ts';
import { keyText } from '../key-text.ts';
import { type HintFile, storeFiles } from './files.ts';
import { DELETED, KeyDirectory } from './key-directory.ts';
import type { LiveIndex } from './live.ts';
import { isNewer, type LostRecord, type LostRecords } from './lost.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';

/** `live`: what the data files have. What only the hint still knows is added to `lost`. */
export async function lookAtOrphan(
  input: BitcaskOpened,
  context: BitcaskScanContext,
  hint: HintFile,
  live: LiveIndex,
  lost: LostRecords,
): Promise<Finding> {
  const { dialect } = input;
  const told = await newestEntries(input, context, hint);
  // Between the data files before and behind it.
  const { data } = storeFiles(input);
  const file = data.filter(({ number = 0 }) => number < hint.number).length - 0.5;
  let gone = 0;
  let first = '';
  told.forEach((entry) => {
    const one: LostRecord = {
      ...{ key: told.key(entry), file, position: told.position(entry), proven: true },
      deleted: (told.flags(entry) & DELETED) !== 0,
      seq: dialect.newest === 'seq' ? told.order(entry) : undefined,
    };
    const known = live.keys.find(one.key, 0, one.key.length);
    if (known < 0 ? one.deleted : isNewer(known, one, live)) return;
    lost.add(one);
    if (gone++ === 0) first = keyText(one.key);
  });
  const keys = `${told.size} keys`;
  return {
    code: 'hint-orphan',
    severity: gone > 0 ? 'error' : 'warning',
    file: hint.name,
    offset: 0,
    length: hint.size ?? 0,
    message: `its data file ${dialect.dataName(hint.number)} is not there`,
    evidence:
      gone > 0
        ? `of its ${keys}, ${gone} have nothing newer in other data files, ${first} among them: what they had is lost`
        : `all of its ${keys} have something newer in other data files`,
    repair: 'put it into quarantine',
  };
}

/** Of each key, what the hint tells of its newest record. */
async function newestEntries(
  { dialect, set }: BitcaskOpened,
  context: BitcaskScanContext,
  hint: HintFile,
): Promise<KeyDirectory> {
  const told = new KeyDirectory();
  const source = set.open(hint.name);
  try {
    await dialect.scanHint(
      source,
      { ...context, carry: undefined, from: undefined },
      {
        entry({ bytes, keyStart, keyEnd, position, seq, deleted }) {
          const entry = told.put(bytes, keyStart, keyEnd);
          const order = dialect.newest === 'seq' ? seq : position;
          if (!told.created && order < told.order(entry)) return;
          told.set(entry, 0, position, 0, order, deleted ? DELETED : 0);
        },
        damage() {},
      },
    );
  } finally {
    source.close?.();
  }
  return told;
}
