"""Reads a v1 log as the format page says it: python3 bench/read_v1.py FILE

Yields every record, with its lengths, checksum and sequence checked, and prints how many there
are. The peer of `wal verify` in the benchmarks: plain Python, nothing but the standard library.
"""
import struct
import sys
import zlib

HEAD = struct.Struct('<IIQBi')


def records(path):
    expected = None
    with open(path, 'rb') as file:
        while head := file.read(HEAD.size):
            length, crc, seq, op, key_length = HEAD.unpack(head)
            rest = file.read(length + 4 - HEAD.size)
            key = rest[:key_length]
            (value_length,) = struct.unpack_from('<i', rest, key_length)
            value = rest[key_length + 4:]
            if length != 21 + key_length + value_length or len(value) != value_length:
                raise ValueError(f'seq {seq}: the lengths contradict each other')
            if zlib.crc32(bytes([op]) + key + value) != crc:
                raise ValueError(f'seq {seq}: the checksum does not hold')
            if expected is not None and seq != expected:
                raise ValueError(f'seq is {seq}, expected {expected}')
            expected = seq + 1
            yield seq, op, key, value


print(sum(1 for _ in records(sys.argv[1])))
