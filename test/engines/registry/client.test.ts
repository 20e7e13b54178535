/** A stock client of the Schema Registry against the server. */
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, serveRegistry } from '../../../src/cli/registry-serve.ts';
import { Registry } from '../../../src/engines/registry/registry.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
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
