/** Schemas that commands are given: files of JSON, or containers, which carry theirs. */
import { scanContainer } from '../formats/avro/ocf/scan.ts';
import { MAGIC, SCHEMA_KEY } from '../formats/avro/ocf/spec.ts';
import type { Schema } from '../formats/avro/schema/model.ts';
import { parseSchema } from '../formats/avro/schema/parse.ts';
import { DEFAULT_LIMITS } from '../formats/format.ts';
import { openFileSet } from '../io/file-set.ts';
import { readTextFile } from '../io/file-source.ts';
import { DdiaError } from '../shared/errors.ts';

export interface GivenSchema {
  text: string;
  schema: Schema;
}

/** Throws a DdiaError for what cannot be read or is no schema. */
export async function schemaOf(path: string): Promise<GivenSchema> {
  const text = (await schemaOfContainer(path)) ?? readTextFile(path);
  try {
    return { text, schema: parseSchema(text) };
  } catch (error) {
    if (!(error instanceof DdiaError)) throw error;
    throw new DdiaError(error.code, `${path}: ${error.message}`, error.hint);
  }
}

/** The text in the header of a container; undefined if the file is none. */
async function schemaOfContainer(path: string): Promise<string | undefined> {
  const set = openFileSet(path);
  const file = set.files[0];
  if (!file || set.isDirectory) {
    throw new DdiaError('not-a-file', `${path}: a schema is a file, not a directory`);
  }
  const source = set.open(file.name);
  try {
    const head = new Uint8Array(MAGIC.length);
    await source.read(head, 0, head.length, 0);
    if (!MAGIC.equals(head)) return undefined;
    let text: string | undefined;
    await scanContainer(
      source,
      { limits: DEFAULT_LIMITS },
      {
        header: ({ meta }) => {
          text = meta.get(SCHEMA_KEY)?.toString('utf8');
        },
        block() {},
        damage() {},
        done: () => true,
      },
    );
    if (text === undefined) throw new DdiaError('no-schema', `${path}: its header has no schema`);
    return text;
  } finally {
    source.close?.();
  }
}
