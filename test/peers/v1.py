"""An independent reader and writer of the textbook layouts, from their format pages alone.

    v1.py write v1 DIR SEGMENT_BYTES   operations on stdin, as `ddia wal write` takes them,
    v1.py write lsm-v1 DIR             bytes as {"hex": …}
    v1.py read v1|lsm-v1 DIR           records, one a line: bytes in hex
"""
import json
import os
import struct
import sys
import zlib

V1_OPS = ['', 'put', 'delete', 'commit', 'checkpoint']


def hexed(operation, name):
    return bytes.fromhex(operation[name]['hex']) if name in operation else b''


def operations_of(lines):
    """(op, key, value), a batch sealed by its commit."""
    for line in lines:
        operation = json.loads(line)
        batch = operation['op'] == 'batch'
        for one in operation['ops'] if batch else [operation]:
            yield one['op'], hexed(one, 'key'), hexed(one, 'value')
        if batch:
            yield 'commit', b'', b''


def v1_record(seq, op, key, value):
    number = V1_OPS.index(op)
    crc = zlib.crc32(bytes([number]) + key + value)
    inner = struct.pack('<IQBi', crc, seq, number, len(key)) + key
    inner += struct.pack('<i', len(value)) + value
    return struct.pack('<I', len(inner)) + inner


def write_v1(directory, segment_bytes):
    os.mkdir(directory)
    number, file, size = 1, None, 0
    for seq, operation in enumerate(operations_of(sys.stdin), 1):
        if file is None:
            file, size = open(os.path.join(directory, '%06d.wal' % number), 'wb'), 0
        size += file.write(v1_record(seq, *operation))
        if size >= int(segment_bytes):
            file.close()
            number, file = number + 1, None
    if file is not None:
        file.close()


def write_lsm_v1(directory):
    os.mkdir(directory)
    with open(os.path.join(directory, 'wal.log'), 'wb') as file:
        for op, key, value in operations_of(sys.stdin):
            assert (op, value == b'') in [('put', False), ('delete', True)], (op, value)
            file.write(struct.pack('>I', len(key)) + key + struct.pack('>I', len(value)) + value)


def read_v1(data):
    at = 0
    while at < len(data):
        length, crc, seq, op, key_length = struct.unpack_from('<IIQBi', data, at)
        key_at = at + 21
        key = data[key_at:key_at + key_length]
        (value_length,) = struct.unpack_from('<i', data, key_at + key_length)
        value_at = key_at + key_length + 4
        value = data[value_at:value_at + value_length]
        assert length + 4 == value_at + value_length - at == 25 + len(key) + len(value)
        assert zlib.crc32(bytes([op]) + key + value) == crc
        place = {'offset': at, 'length': length + 4, 'seq': seq}
        yield {**place, 'op': V1_OPS[op], 'key': key, 'value': value}
        at += length + 4


def read_lsm_v1(data):
    at = 0
    while at < len(data):
        (key_length,) = struct.unpack_from('>I', data, at)
        key = data[at + 4:at + 4 + key_length]
        (value_length,) = struct.unpack_from('>I', data, at + 4 + key_length)
        end = at + 8 + key_length + value_length
        value = data[end - value_length:end]
        assert end <= len(data)
        op = 'put' if value_length > 0 else 'delete'
        yield {'offset': at, 'length': end - at, 'op': op, 'key': key, 'value': value}
        at = end


def read(layout, directory):
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), 'rb') as file:
            for record in (read_v1 if layout == 'v1' else read_lsm_v1)(file.read()):
                record.update(file=name, key=record['key'].hex(), value=record['value'].hex())
                print(json.dumps(record))


what, layout, *rest = sys.argv[1:]
if what == 'read':
    read(layout, *rest)
else:
    (write_v1 if layout == 'v1' else write_lsm_v1)(*rest)
