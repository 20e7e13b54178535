"""Writes a RocksDB database through the library's C interface, which can do more than ldb.

rocksdb.py DIR takes a batch a line on stdin, an array of [op, column_family, key, value]; keys and
values are hex, column families 0 (default) and 1 (users). It ends as in a crash, with everything
still in the log.
"""
import ctypes
import ctypes.util
import json
import os
import sys

R = ctypes.CDLL(ctypes.util.find_library('rocksdb'))
P = ctypes.c_void_p
WRITE_BUFFER_BYTES = 256 << 20


def call(name, *args):
    function = getattr(R, 'rocksdb_' + name)
    function.restype = P
    return P(function(*args))


def checked(name, *args):
    error = ctypes.c_char_p()
    result = call(name, *args, ctypes.byref(error))
    if error.value:
        raise RuntimeError(error.value)
    return result


def text(data):
    return ctypes.c_char_p(data), ctypes.c_size_t(len(data))


options = call('options_create')
call('options_set_create_if_missing', options, 1)
call('options_set_uint64add_merge_operator', options)
call('options_set_write_buffer_size', options, ctypes.c_size_t(WRITE_BUFFER_BYTES))
db = checked('open', options, ctypes.c_char_p(sys.argv[1].encode()))
users = checked('create_column_family', db, options, ctypes.c_char_p(b'users'))
write_options = call('writeoptions_create')
NAMES = {
    'put': 'put',
    'delete': 'delete',
    'single-delete': 'singledelete',
    'delete-range': 'delete_range',
    'merge': 'merge',
}

for line in sys.stdin:
    batch = call('writebatch_create')
    for op, family, *data in json.loads(line):
        parts = [part for item in data for part in text(bytes.fromhex(item))]
        if op == 'log-data':
            call('writebatch_put_log_data', batch, *parts)
        elif family:
            call('writebatch_' + NAMES[op] + '_cf', batch, users, *parts)
        else:
            call('writebatch_' + NAMES[op], batch, *parts)
    checked('write', db, write_options, batch)
    call('writebatch_destroy', batch)
os._exit(0)
