/** The schemas of a registry for decoding: of a directory, or of a server by its URL. */

import type { SchemaInput } from '../engines/registry/model.ts';
import type { RegistryReader } from '../engines/registry/registry.ts';
import { schemaInput } from '../engines/registry/rest.ts';
import { parseStored } from '../engines/registry/schemas.ts';
import { RegistryState } from '../engines/registry/state.ts';
import type { Framed } from '../formats/avro/framing.ts';
import { fingerprints } from '../formats/avro/schema/canonical.ts';
import type { Schema } from '../formats/avro/schema/model.ts';
import { DdiaError } from '../shared/errors.ts';
import type { SchemaLookup } from './avro-decode.ts';
import { readRegistry } from './registry-open.ts';

const TIMEOUT_MILLISECONDS = 10_000;

export function registryLookup(place: string): SchemaLookup {
  return /^https?:\/\//.test(place) ? new ServerLookup(place) : new DirectoryLookup(place);
}

class DirectoryLookup implements SchemaLookup {
  readonly knowsIds = true;
  #reader: Promise<RegistryReader> | undefined;
  readonly #parsed = new Map<number, Schema | undefined>();

  constructor(readonly directory: string) {}

  async find({ schemaId, fingerprint }: Framed): Promise<Schema | undefined> {
    this.#reader ??= readRegistry(this.directory);
    const reader = await this.#reader;
    if (schemaId !== undefined) return this.#byId(reader, schemaId);
    if (fingerprint === undefined) return undefined;
    for (const id of reader.state.schemas.keys()) {
      const schema = this.#byId(reader, id);
      if (schema && fingerprints(schema)['crc-64-avro'] === fingerprint) return schema;
    }
    return undefined;
  }

  #byId({ state }: RegistryReader, id: number): Schema | undefined {
    if (this.#parsed.has(id)) return this.#parsed.get(id);
    const stored = state.schemas.get(id);
    const schema = stored?.type === 'AVRO' ? parseStored(state, stored) : undefined;
    this.#parsed.set(id, schema);
    return schema;
  }
}

class ServerLookup implements SchemaLookup {
  readonly knowsIds = true;
  readonly #parsed = new Map<number, Schema | undefined>();

  constructor(readonly url: string) {}

  async find({ schemaId }: Framed): Promise<Schema | undefined> {
    if (schemaId === undefined) return undefined;
    if (!this.#parsed.has(schemaId)) this.#parsed.set(schemaId, await this.#fetch(schemaId));
    return this.#parsed.get(schemaId);
  }

  async #fetch(id: number): Promise<Schema | undefined> {
    const json = await this.#get(`schemas/ids/${id}`);
    if (!json) return undefined;
    const schema = schemaInput(json);
    if (schema.type !== 'AVRO') return undefined;
    const state = new RegistryState();
    await this.#references(state, schema);
    return parseStored(state, schema);
  }

  /** Brings what a schema refers to, and what that refers to, into `state`. */
  async #references(state: RegistryState, schema: SchemaInput): Promise<void> {
    for (const { subject, version } of schema.references) {
      if (state.subjects.get(subject)?.versions.has(version)) continue;
      const path = `subjects/${encodeURIComponent(subject)}/versions/${version}?deleted=true`;
      const json = await this.#get(path);
      if (!json) continue;
      const input = schemaInput(json);
      state.apply({ kind: 'register', subject, version, ...input, id: state.nextId });
      await this.#references(state, input);
    }
  }

  async #get(path: string): Promise<Record<string, unknown> | undefined> {
    const url = `${this.url.replace(/\/+$/, '')}/${path}`;
    let response: Response;
    try {
      response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) });
    } catch (error) {
      const { cause, message } = error as Error & { cause?: Error };
      throw new DdiaError('registry-unreachable', `${url}: ${cause?.message ?? message}`);
    }
    if (response.status === 404) return undefined;
    if (!response.ok) {
      throw new DdiaError('registry-failed', `${url}: HTTP ${response.status}`);
    }
    return (await response.json()) as Record<string, unknown>;
  }
}
