"""LevelDB through plyvel, for the tests beside it.

    leveldb.py write DIR WRITE_BUFFER_BYTES   batches on stdin, an array of [op, key, value] a line
    leveldb.py read DIR                       [key, value] a line; keys and values are hex
"""
import json
import sys

import plyvel

what, path, *rest = sys.argv[1:]
if what == 'write':
    # The log never is compressed, and what is in the tables is not looked at.
    db = plyvel.DB(path, create_if_missing=True, write_buffer_size=int(rest[0]), compression=None)
    for line in sys.stdin:
        with db.write_batch() as batch:
            for op, key, *value in json.loads(line):
                if op == 'put':
                    batch.put(bytes.fromhex(key), bytes.fromhex(value[0]))
                else:
                    batch.delete(bytes.fromhex(key))
else:
    db = plyvel.DB(path, paranoid_checks=True)
    for key, value in db:
        print(json.dumps([key.hex(), value.hex()]))
db.close()
