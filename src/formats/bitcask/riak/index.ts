/** Erlang Bitcask, the store of Riak: 1.bitcask.data, 1.bitcask.hint, … See FORMAT.md. */
import type { BitcaskDialect } from '../model.ts';
import { detectRiak } from './detect.ts';
import { riakEncoder } from './encode.ts';
import { scanHintRiak } from './hint.ts';
import { dataFile, dataName, HEADER_BYTES, hintFile, hintName } from './layout.ts';
import { liveFiles, verifyPending } from './pending.ts';
import { scanRiak } from './scan.ts';
import { layoutRiak } from './spans.ts';

export const riak: BitcaskDialect = {
  id: 'riak',
  family: 'bitcask',
  title:
    'Erlang Bitcask (Riak): CRC-32, timestamp, sizes, key, value; hints with a CRC-32 at the end',
  source: 'FORMAT.md',
  // Opening reads the files in order of their numbers, and each record takes the place of the one
  // before, whatever its timestamp: scan_key_files in src/bitcask.erl, and in c_src/bitcask_nifs.c
  // bitcask_nifs_keydir_put_int, where a higher file or offset is enough.
  newest: 'position',
  recordBytesMin: HEADER_BYTES,
  unchecked: [
    'no file header: nothing but its name tells which data file this is, or of which store',
    'a record is not bound to its place: one that is moved, repeated or left out is not seen',
    'data files that are missing, and records cut off at the end of one, leave no trace but in hints',
    'an age after which records count as deleted (expiry_secs) is set in Riak, not in the files',
    'the tombstone bit of the last entry of a hint: either is valid',
  ],
  dataFile,
  hintFile,
  dataName,
  hintName,
  // bitcask_fileops:write/4 writes an entry with every record, whatever becomes of it, and a merge
  // writes the same way. A hint whose checksum holds is read instead of the data file.
  hints: {
    records: 'all',
    deletions: true,
    trusted: true,
    checked: true,
    // get_filestate in src/bitcask.erl takes a data file whose hint it cannot append to for one
    // that is gone, and so merge_single_tombstone drops what deletes something in it.
    needed: 'when Bitcask merges other files without this one, what they delete in it comes back',
  },
  detect: detectRiak,
  scan: scanRiak,
  scanHint: scanHintRiak,
  layout: layoutRiak,
  liveFiles,
  verifySet: (input) => verifyPending(input),
  encoder: riakEncoder,
};
