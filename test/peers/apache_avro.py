"""Apache Avro for Python, on the command line: python3 apache_avro.py rows FILE | canonical FILE | write FILE CODEC < rows"""
import json
import sys

import avro.datafile
import avro.io
import avro.schema


def plain(value):
    """As `avro cat` prints it."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return str(value)
    return value


def native(value):
    """The other way round."""
    if isinstance(value, dict):
        if list(value) == ["hex"]:
            return bytes.fromhex(value["hex"])
        return {key: native(one) for key, one in value.items()}
    if isinstance(value, list):
        return [native(one) for one in value]
    return value


def main():
    verb, path = sys.argv[1:3]
    if verb == "rows":
        with avro.datafile.DataFileReader(open(path, "rb"), avro.io.DatumReader()) as reader:
            for row in reader:
                print(json.dumps(plain(row), ensure_ascii=False, separators=(",", ":")))
    elif verb == "canonical":
        print(avro.schema.parse(open(path).read()).canonical_form)
    elif verb == "write":
        schema = avro.schema.parse(open(sys.argv[4]).read())
        writer = avro.io.DatumWriter()
        with avro.datafile.DataFileWriter(open(path, "wb"), writer, schema, codec=sys.argv[3]) as out:
            for line in sys.stdin:
                out.append(native(json.loads(line)))


main()
