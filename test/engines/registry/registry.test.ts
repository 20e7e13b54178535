/** The registry's rules, through its REST interface and without the network. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Registry } from '../../../src/engines/registry/registry.ts';
import { answer, RawText } from '../../../src/engines/registry/rest.ts';
import { RegistryStore } from '../../../src/engines/registry/store.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';

const ROOT = '/registry';
let disk: SimDisk;
let registry: Registry;

const open = () =>
  Registry.open(disk, ROOT, { processes: bootProcesses(disk.boot), preallocateBytes: 0 });

beforeEach(async () => {
  disk = new SimDisk({ root: ROOT });
  registry = await open();
});

async function call(method: string, url: string, body?: unknown) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const { status, body: found } = await answer(registry, { method, url, body: text });
  return status === 200 ? found : { status, ...(found as object) };
}

const record = (...fields: unknown[]) => JSON.stringify({ type: 'record', name: 'R', fields });
const A = { name: 'a', type: 'int' };
const B = { name: 'b', type: 'int' };
const register = (subject: string, schema: string, more: object = {}) =>
  call('POST', `/subjects/${subject}/versions`, { schema, ...more });

describe('registration', () => {
  it('gives ids and versions, and the same for the same', async () => {
    expect(await register('s', record(A))).toEqual({ id: 1 });
    expect(await register('s', ` ${record(A)} `)).toEqual({ id: 1 });
    expect(await register('t', record(A))).toEqual({ id: 1 });
    expect(await register('s', record(A, { ...B, default: 0 }))).toEqual({ id: 2 });
    expect(await call('GET', '/subjects')).toEqual(['s', 't']);
    expect(await call('GET', '/subjects/s/versions')).toEqual([1, 2]);
    expect(await call('GET', '/schemas/ids/1')).toEqual({ schema: record(A) });
    expect(await call('GET', '/subjects/s/versions/latest')).toMatchObject({ version: 2, id: 2 });
    expect(await call('GET', '/schemas/ids/1/versions')).toEqual([
      { subject: 's', version: 1 },
      { subject: 't', version: 1 },
    ]);
    expect(await call('GET', '/subjects/s/versions/1/schema')).toEqual(new RawText(record(A)));
    expect(await call('POST', '/subjects/s', { schema: record(A) })).toEqual({
      subject: 's',
      version: 1,
      id: 1,
      schema: record(A),
    });
  });

  it('at the same time gives no id twice', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => register(`s${i % 4}`, `"${['int', 'long'][i % 2]}"`)),
    );
    expect(new Set(all.map((one) => (one as { id: number }).id)).size).toBe(2);
  });

  it('refuses what is incompatible, and says why', async () => {
    await register('s', record(A));
    const refused = await register('s', record(A, B));
    expect(refused).toMatchObject({ status: 409, error_code: 409 });
    expect((refused as { message: string }).message).toMatch(/R\.b: missing-default.*mend/);
  });

  it('refuses what is no schema', async () => {
    expect(await register('s', '{"type":"recor"}')).toMatchObject({
      error_code: 42201,
      status: 422,
    });
    expect(await call('POST', '/subjects/s/versions', { schema: 5 })).toMatchObject({
      status: 422,
    });
    expect(
      await answer(registry, { method: 'POST', url: '/subjects/s/versions', body: '{' }),
    ).toMatchObject({ status: 400 });
    expect(await call('GET', '/subjects')).toEqual([]);
  });

  it('follows references', async () => {
    await register('address', '{"type":"record","name":"n.Address","fields":[]}');
    const references = [{ name: 'n.Address', subject: 'address', version: 1 }];
    const schema = record({ name: 'home', type: 'n.Address' });
    expect(await register('s', schema)).toMatchObject({ error_code: 42201 });
    expect(await register('s', schema, { references })).toEqual({ id: 2 });
    expect(await call('GET', '/schemas/ids/2')).toEqual({ schema, references });
    expect(await call('GET', '/subjects/address/versions/1/referencedby')).toEqual([2]);
    expect(await call('DELETE', '/subjects/address')).toMatchObject({ error_code: 42206 });
  });

  it('keeps JSON Schema and Protobuf as they are, and does not claim to compare them', async () => {
    const json = { schemaType: 'JSON' };
    expect(await register('j', '{"type":"object"}', json)).toEqual({ id: 1 });
    expect(await call('GET', '/schemas/ids/1')).toEqual({
      schemaType: 'JSON',
      schema: '{"type":"object"}',
    });
    const second = await register('j', '{"type":"string"}', json);
    expect(second).toMatchObject({
      error_code: 42205,
      message: expect.stringMatching(/JSON schemas cannot be judged/),
    });
    await call('PUT', '/config/j', { compatibility: 'NONE' });
    expect(await register('j', '{"type":"string"}', json)).toEqual({ id: 2 });
    const proto = 'syntax = "proto3"; message M {}';
    expect(await register('p', proto, { schemaType: 'PROTOBUF' })).toEqual({ id: 3 });
    expect(await register('x', '"int"', { schemaType: 'XML' })).toMatchObject({
      error_code: 42201,
    });
  });
});

describe('deletion', () => {
  it('is soft first, and for good after that; ids and versions are not given again', async () => {
    await register('s', '"int"');
    await register('s', '"long"');
    expect(await call('DELETE', '/subjects/s/versions/2?permanent=true')).toMatchObject({
      error_code: 40407,
    });
    expect(await call('DELETE', '/subjects/s/versions/2')).toBe(2);
    expect(await call('DELETE', '/subjects/s/versions/2')).toMatchObject({ error_code: 40406 });
    expect(await call('GET', '/subjects/s/versions')).toEqual([1]);
    expect(await call('GET', '/subjects/s/versions?deleted=true')).toEqual([1, 2]);
    expect(await call('GET', '/schemas/ids/2')).toEqual({ schema: '"long"' });
    expect(await call('DELETE', '/subjects/s?permanent=true')).toMatchObject({ error_code: 40405 });
    expect(await call('DELETE', '/subjects/s')).toEqual([1]);
    expect(await call('GET', '/subjects')).toEqual([]);
    expect(await call('DELETE', '/subjects/s')).toMatchObject({ error_code: 40404 });
    expect(await call('DELETE', '/subjects/s?permanent=true')).toEqual([1, 2]);
    expect(await call('GET', '/subjects/s/versions')).toMatchObject({ error_code: 40401 });
    await register('s', '"string"');
    expect(await call('GET', '/subjects/s/versions/latest')).toMatchObject({ version: 3, id: 3 });
  });
});

describe('settings', () => {
  it('of a subject come before those of all', async () => {
    expect(await call('GET', '/config')).toEqual({ compatibilityLevel: 'BACKWARD' });
    expect(await call('GET', '/config/s')).toMatchObject({ error_code: 40408 });
    expect(await call('PUT', '/config', { compatibility: 'FULL' })).toEqual({
      compatibility: 'FULL',
    });
    expect(await call('GET', '/config/s?defaultToGlobal=true')).toEqual({
      compatibilityLevel: 'FULL',
    });
    await call('PUT', '/config/s', { compatibility: 'NONE' });
    expect(await call('GET', '/config/s')).toEqual({ compatibilityLevel: 'NONE' });
    expect(await call('PUT', '/config/s', { compatibility: 'MOST' })).toMatchObject({
      error_code: 42203,
    });
    expect(await call('DELETE', '/config/s')).toEqual({ compatibilityLevel: 'NONE' });
    expect(await call('PUT', '/mode', { mode: 'READONLY' })).toEqual({ mode: 'READONLY' });
    expect(await register('s', '"int"')).toMatchObject({ error_code: 42205 });
  });

  it('decide what is compatible', async () => {
    await register('s', record(A));
    const check = (schema: string, version = 'latest') =>
      call('POST', `/compatibility/subjects/s/versions/${version}?verbose=true`, { schema });
    expect(await check(record(A, B))).toMatchObject({
      is_compatible: false,
      messages: [expect.stringMatching(/R\.b/)],
    });
    await call('PUT', '/config/s', { compatibility: 'FORWARD' });
    expect(await check(record(A, B))).toMatchObject({ is_compatible: true });
    expect(await check(record(A), '7')).toMatchObject({ error_code: 40402 });
    expect(await check(record(A), 'x')).toMatchObject({ error_code: 42202 });
  });
});

describe('requests that make no sense', () => {
  it('are told so', async () => {
    expect(await call('GET', '/nowhere')).toMatchObject({ status: 404 });
    expect(await call('PATCH', '/subjects')).toMatchObject({ status: 405 });
    expect(await call('GET', '/schemas/ids/7')).toMatchObject({ status: 404, error_code: 40403 });
    expect(await call('GET', '/subjects/%zz/versions')).toMatchObject({ status: 400 });
  });

  it('of subjects whose names mean something to JavaScript are no different', async () => {
    expect(await call('GET', '/subjects/__proto__/versions')).toMatchObject({ error_code: 40401 });
    await register('__proto__', '"int"');
    expect(await call('GET', '/subjects')).toEqual(['__proto__']);
  });
});

describe('the store', () => {
  it('has all of it after it was closed, from snapshot and log', async () => {
    await register('s', '"int"');
    await registry.store.snapshot();
    await register('s', '"long"');
    await call('PUT', '/config/s', { compatibility: 'NONE' });
    const before = registry.state.toJson();
    await registry.close();
    expect((await RegistryStore.read(disk, ROOT)).toJson()).toEqual(before);
    registry = await open();
    expect(registry.state.toJson()).toEqual(before);
  });

  it('can be read beside a server', async () => {
    await register('s', '"int"');
    expect((await RegistryStore.read(disk, ROOT)).subjects.has('s')).toBe(true);
    await expect(open()).rejects.toMatchObject({ code: 'locked' });
  });

  it('does not trust a snapshot whose checksum does not hold', async () => {
    await register('s', '"int"');
    await registry.store.snapshot();
    await registry.close();
    const file = disk.open(`${ROOT}/snapshot.json`, 'write');
    const byte = Buffer.from('9');
    file.write(byte, 0, 1, file.size() - 10);
    file.close();
    await expect(open()).rejects.toMatchObject({ code: 'corrupt' });
  });
});
