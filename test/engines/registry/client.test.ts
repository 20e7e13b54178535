/** A stock client of the Schema Registry against the server. */
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { framePayload } from '../../../src/cli/avro-decode.ts';
import { registryLookup } from '../../../src/cli/registry-lookup.ts';
import { type Serving, serveRegistry } from '../../../src/cli/registry-serve.ts';
import { Registry } from '../../../src/engines/registry/registry.ts';
import { framingBytes } from '../../../src/formats/avro/framing.ts';
import { canonicalForm } from '../../../src/formats/avro/schema/canonical.ts';
import { parseSchema } from '../../../src/formats/avro/schema/parse.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';

const user = (...more: unknown[]) =>
  JSON.stringify({
    type: 'record',
    name: 'User',
    namespace: 'demo',
    fields: [{ name: 'id', type: 'long' }, { name: 'name', type: 'string' }, ...more],
  });
const EMAIL = { name: 'email', type: ['null', 'string'], default: null };

let registry: Registry;
let serving: Serving;
let client: SchemaRegistry;
const lines: string[] = [];

beforeAll(async () => {
  const disk = new SimDisk({ root: '/registry' });
  registry = await Registry.open(disk, '/registry', { processes: bootProcesses(disk.boot) });
  serving = await serveRegistry(registry, '127.0.0.1', 0, (line) => lines.push(line));
  client = new SchemaRegistry({ host: serving.url, retry: { retries: 0 } });
});

afterAll(async () => {
  await serving.close();
  await registry.close();
});

describe('@kafkajs/confluent-schema-registry', () => {
  const subject = 'users-value';
  let first = 0;

  it('registers, encodes and decodes', async () => {
    const schema = { type: SchemaType.AVRO as const, schema: user() };
    ({ id: first } = await client.register(schema, { subject }));
    expect(first).toBe(1);
    const payload = await client.encode(first, { id: 7, name: 'Ada' });
    expect(payload.subarray(0, 5).toString('hex')).toBe('0000000001');
    const other = new SchemaRegistry({ host: serving.url });
    expect(await other.decode(payload)).toMatchObject({ id: 7, name: 'Ada' });
  });

  it('evolves a schema and looks it up', async () => {
    const schema = { type: SchemaType.AVRO as const, schema: user(EMAIL) };
    const { id } = await client.register(schema, { subject });
    expect(id).toBe(2);
    expect(await client.getLatestSchemaId(subject)).toBe(2);
    expect(await client.getRegistryId(subject, 1)).toBe(first);
    expect(await client.getRegistryIdBySchema(subject, schema)).toBe(2);
    const payload = await client.encode(2, { id: 8, name: 'Bob', email: 'b@x.org' });
    expect(await client.decode(payload)).toMatchObject({ email: 'b@x.org' });
  });

  it('is refused a schema that is incompatible', async () => {
    const schema = {
      type: SchemaType.AVRO as const,
      schema: user({ name: 'age', type: 'int' }),
    };
    await expect(client.register(schema, { subject })).rejects.toThrow(/incompatible/);
  });

  it('is told of an id that is not there', async () => {
    await expect(client.decode(Buffer.from('000000006300', 'hex'))).rejects.toThrow(/not found/);
  });

  it('registers JSON schemas', async () => {
    const schema = JSON.stringify({ type: 'object', properties: { a: { type: 'number' } } });
    const input = { type: SchemaType.JSON as const, schema };
    const { id } = await client.register(input, { subject: 'json-value' });
    expect(await client.decode(await client.encode(id, { a: 1 }))).toEqual({ a: 1 });
  });
});

describe('an error has the number and status that clients know', () => {
  const AVRO = user();
  const AGE = user({ name: 'age', type: 'int' });
  const at = (path: string, method = 'GET', body?: unknown) =>
    fetch(`${serving.url}${path}`, {
      method,
      headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  it.each<[number, number, string, string, string, unknown?]>([
    [40401, 404, 'a subject', 'GET', '/subjects/none/versions'],
    [40401, 404, 'a subject to look up in', 'POST', '/subjects/none', { schema: AVRO }],
    [40401, 404, 'a subject to delete', 'DELETE', '/subjects/none'],
    [40402, 404, 'a version', 'GET', '/subjects/users-value/versions/99'],
    [40402, 404, 'a version to delete', 'DELETE', '/subjects/users-value/versions/99'],
    [40403, 404, 'an id', 'GET', '/schemas/ids/99'],
    [40403, 404, 'a schema to look up', 'POST', '/subjects/users-value', { schema: AGE }],
    [409, 409, 'compatibility', 'POST', '/subjects/users-value/versions', { schema: AGE }],
    [42201, 422, 'a valid schema', 'POST', '/subjects/s/versions', { schema: '{"type":"x"}' }],
    [42201, 422, 'a schema at all', 'POST', '/subjects/s/versions', {}],
    [42202, 422, 'a valid version', 'GET', '/subjects/users-value/versions/0'],
    [42202, 422, 'a version in digits', 'GET', '/subjects/users-value/versions/first'],
    [42203, 422, 'a valid level', 'PUT', '/config/users-value', { compatibility: 'MOST' }],
    [42203, 422, 'a level at all', 'PUT', '/config', {}],
  ])('%i, HTTP %i: %s', async (code, status, _, method, path, body) => {
    const response = await at(path, method, body);
    const answer = (await response.json()) as { error_code: number; message: string };
    expect({ status: response.status, code: answer.error_code }).toEqual({ status, code });
    expect(answer.message).not.toBe('');
  });

  it('50001, HTTP 500: the store failed, and the schema is not there', async () => {
    const disk = new SimDisk({ root: '/failing' });
    const processes = bootProcesses(disk.boot);
    const failed = await Registry.open(disk, '/failing', { processes });
    const server = await serveRegistry(failed, '127.0.0.1', 0, () => {});
    try {
      disk.inject(failing('sync', 1));
      for (const subject of ['lost', 'after']) {
        const body = JSON.stringify({ schema: '"int"' });
        const url = `${server.url}/subjects/${subject}/versions`;
        const response = await fetch(url, { method: 'POST', body });
        expect(response.status).toBe(500);
        expect(await response.json()).toMatchObject({
          error_code: 50001,
          message: expect.stringMatching(/EIO/),
        });
      }
      expect(await (await fetch(`${server.url}/subjects`)).json()).toEqual([]);
    } finally {
      await server.close();
      await expect(failed.close()).rejects.toMatchObject({ code: 'poisoned' });
    }
  });

  it('which the client hands on', async () => {
    await expect(client.getRegistryId('users-value', 99)).rejects.toMatchObject({ status: 404 });
    await expect(client.getLatestSchemaId('none')).rejects.toMatchObject({ status: 404 });
  });
});

describe('avro decode --registry URL', () => {
  const find = (payload: Uint8Array, lookup = registryLookup(serving.url)) =>
    framePayload(payload, lookup, undefined);
  const single = (schema: string) =>
    Buffer.concat([
      framingBytes('single-object', { canonical: canonicalForm(parseSchema(schema)) }),
      Buffer.from('02' + '0241', 'hex'),
    ]);

  it('finds the schema of a fingerprint among all that are listed', async () => {
    const found = await find(single(user()));
    expect(found).toMatchObject({ framed: { framing: 'single-object' } });
    const unknown = await find(single(user({ name: 'more', type: 'null' })));
    expect(unknown).toMatchObject({ fault: expect.stringMatching(/no schema of the fingerprint/) });
  });

  it('lists them once for each that is not known, a page at a time', async () => {
    const lookup = registryLookup(serving.url);
    const from = lines.length;
    const payload = single(user({ name: 'other', type: 'null' }));
    for (let i = 0; i < 3; i++) await find(payload, lookup);
    const asked = lines.slice(from).filter((line) => line.startsWith('GET /schemas?'));
    expect(asked).toHaveLength(1);
  });
});

describe('the list of schemas', () => {
  const list = async (query: string) => {
    const response = await fetch(`${serving.url}/schemas?${query}`);
    const all = (await response.json()) as { subject: string; version: number; id: number }[];
    return all.map(({ subject, version }) => `${subject} ${version}`);
  };

  it('has pages, and can be narrowed', async () => {
    expect(await list('')).toEqual(['json-value 1', 'users-value 1', 'users-value 2']);
    expect(await list('latestOnly=true')).toEqual(['json-value 1', 'users-value 2']);
    expect(await list('subjectPrefix=users')).toEqual(['users-value 1', 'users-value 2']);
    expect(await list('offset=1&limit=1')).toEqual(['users-value 1']);
    expect(await list('offset=3&limit=1')).toEqual([]);
    const bad = await fetch(`${serving.url}/schemas?limit=many`);
    expect(bad.status).toBe(400);
  });
});

describe('the server', () => {
  it('says what it is asked, and answers as its clients expect', async () => {
    const response = await fetch(`${serving.url}/subjects`);
    expect(response.headers.get('content-type')).toBe('application/vnd.schemaregistry.v1+json');
    expect(await response.json()).toEqual(['json-value', 'users-value']);
    expect(lines.some((line) => line.startsWith('GET /subjects 200'))).toBe(true);
  });

  it('refuses a body without an end', async () => {
    const body = 'x'.repeat(9 * 1024 * 1024);
    const response = await fetch(`${serving.url}/subjects/s/versions`, { method: 'POST', body });
    expect(response.status).toBe(413);
  });
});
