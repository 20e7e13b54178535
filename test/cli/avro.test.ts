/** The commands on Avro, as a user runs them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ddia,
  type ErrorAnswer,
  fixturesStayTheSame,
  json,
  lines,
  root,
  temporaryDirectory,
} from './run.ts';

fixturesStayTheSame('fixtures/avro');
const scratch = temporaryDirectory();
const OCF = 'fixtures/avro/ocf';
const USER = 'fixtures/avro/schemas/user-v1.avsc';

interface Payload {
  value: { id: string; name: string };
  schema_id: number;
  confluent: string;
  registry_v1: string;
  body: string;
}

const golden = JSON.parse(
  readFileSync(join(root, 'fixtures/avro/payloads/payloads.json'), 'utf8'),
) as { payload_schema: object; payloads: Payload[] };
const schemaFile = join(scratch, 'payload.avsc');
writeFileSync(schemaFile, JSON.stringify(golden.payload_schema));

const linesOf = (pick: (payload: Payload) => string) => `${golden.payloads.map(pick).join('\n')}\n`;
const values = golden.payloads.map(({ value }) => value);

describe('decode', () => {
  it.each([
    ['raw', linesOf(({ body }) => body)],
    ['confluent', linesOf(({ confluent }) => confluent)],
    ['registry-v1', linesOf((payload) => payload.registry_v1)],
  ])('reads what Apache Avro framed: %s', (framing, input) => {
    const told = ddia(['avro', 'decode', '--schema', schemaFile, '--hex', '--framing', framing], {
      input,
    });
    expect(told).toMatchObject({ status: 0, stderr: '' });
    expect(lines(told)).toEqual(values);
  });

  it('finds out the framing where that is beyond doubt', () => {
    const input = linesOf(({ confluent }) => confluent);
    expect(lines(ddia(['avro', 'decode', '--schema', schemaFile, '--hex'], { input }))).toEqual(
      values,
    );
  });

  it('takes schemas from a registry, and no id that it does not have', () => {
    const dir = join(scratch, 'registry');
    const [one] = golden.payloads;
    const line = {
      subject: 's',
      version: 1,
      id: one!.schema_id,
      schema: JSON.stringify(golden.payload_schema),
    };
    expect(ddia(['registry', 'import', dir], { input: JSON.stringify(line) }).status).toBe(0);
    for (const payload of [one!.confluent, one!.registry_v1]) {
      const told = ddia(['avro', 'decode', '--registry', dir, '--hex'], { input: payload });
      expect(lines(told)).toEqual([one!.value]);
    }
    const other = golden.payloads[1]!.confluent;
    const refused = ddia(['registry', 'decode', dir, '--hex'], { input: other });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`no schema of the id ${golden.payloads[1]!.schema_id}`);
  });

  it('tells what is wrong with its offset and place, and goes on', () => {
    const input = '0206416461\n02ff\n020641646100\n';
    const told = ddia(['avro', 'decode', '--schema', USER, '--hex', '--framing', 'raw'], { input });
    expect(told.status).toBe(1);
    expect(lines(told)).toEqual([
      { id: 1, name: 'Ada' },
      { id: 1, name: 'Ada' },
    ]);
    expect(told.stderr.split('\n')).toEqual([
      expect.stringContaining('error: truncated-datum payload 2 @ 1 +1: demo.User.name:'),
      expect.stringContaining('error: trailing-bytes payload 3 @ 5 +1:'),
      '',
    ]);
  });

  it('reads payloads with their lengths, in binary, and in base64', () => {
    const args = ['avro', 'decode', '--schema', USER, '--framing', 'raw'];
    const datum = Buffer.from('0206416461', 'hex');
    const prefixed = Buffer.concat([Buffer.from('00000005', 'hex'), datum]);
    const expected = [{ id: 1, name: 'Ada' }];
    expect(lines(ddia(args, { input: datum }))).toEqual(expected);
    expect(lines(ddia([...args, '--length-prefixed'], { input: prefixed }))).toEqual(expected);
    expect(lines(ddia([...args, '--base64'], { input: datum.toString('base64') }))).toEqual(
      expected,
    );
    const cut = ddia([...args, '--length-prefixed', '--json'], { input: prefixed.subarray(0, 7) });
    expect(json<ErrorAnswer>(cut).error.code).toBe('truncated-input');
  });
});

describe('encode', () => {
  it.each(['null', 'deflate', 'snappy', 'bzip2', 'xz', 'zstandard'])(
    'writes a container that comes back: %s',
    (codec) => {
      const out = join(scratch, `${codec}.avro`);
      const before = ddia(['avro', 'cat', `${OCF}/users-null.avro`]).stdout;
      const args = ['--schema', `${OCF}/users-null.avro`, '--ocf', '--codec', codec, '--out', out];
      expect(ddia(['avro', 'encode', ...args], { input: before }).status).toBe(0);
      expect(ddia(['avro', 'cat', out]).stdout).toBe(before);
      expect(ddia(['verify', out]).status).toBe(0);
    },
  );

  it('refuses a value with its line and path, and leaves nothing', () => {
    const out = join(scratch, 'none.avro');
    const input = '{"id":1,"name":"a"}\n{"id":"x","name":"b"}\n';
    const told = ddia(['avro', 'encode', '--schema', USER, '--ocf', '--out', out, '--json'], {
      input,
    });
    expect(told.status).toBe(3);
    expect(json<ErrorAnswer>(told).error.message).toMatch(
      /^line 2: demo\.User\.id: an integer of 64/,
    );
    expect(ddia(['avro', 'cat', out]).status).toBe(3);
  });

  it('takes what the JSON encoding prints', () => {
    const printed = ddia([
      'avro',
      'cat',
      `${OCF}/users-null.avro`,
      '--json-encoding',
      'avro',
    ]).stdout;
    const args = ['--schema', `${OCF}/users-null.avro`, '--ocf', '--json-encoding', 'avro'];
    const out = join(scratch, 'json.avro');
    expect(ddia(['avro', 'encode', ...args, '--out', out], { input: printed }).status).toBe(0);
    expect(ddia(['avro', 'cat', out]).stdout).toBe(
      ddia(['avro', 'cat', `${OCF}/users-null.avro`]).stdout,
    );
  });
});

describe('cat', () => {
  const ids = (told: { stdout: string }) =>
    lines<{ name: string }>(told as never).map(({ name }) => Number(name.slice(2)));

  it('leaves out and stops where it is told', () => {
    const args = ['avro', 'cat', `${OCF}/users-deflate.avro`];
    expect(ids(ddia([...args, '--offset', '98', '--limit', '4']))).toEqual([98, 99, 100, 101]);
    expect(ids(ddia([...args, '--offset', '398']))).toEqual([398, 399]);
    expect(ddia([...args, '--limit', '0']).stdout).toBe('');
  });

  it('reads standard input, and past damage', () => {
    const input = readFileSync(join(root, 'fixtures/avro/damaged/bad-datum.avro'));
    const told = ddia(['avro', 'cat', '-'], { input });
    expect(told.status).toBe(1);
    expect(lines(told)).toHaveLength(102);
    expect(told.stderr).toContain('bad-union-branch');
    const torn = ddia(['avro', 'cat', 'fixtures/avro/damaged/torn.avro']);
    expect({ status: torn.status, data: lines(torn).length }).toEqual({ status: 4, data: 100 });
  });

  it('refuses a reader’s schema that nothing can be read by', () => {
    const args = ['--reader-schema', 'fixtures/avro/schemas/user-v3.avsc', '--json'];
    const told = ddia(['avro', 'cat', `${OCF}/users-null.avro`, ...args]);
    expect(json<ErrorAnswer>(told).error).toMatchObject({ code: 'incompatible-schema' });
  });
});

describe('dump', () => {
  it('shows no data where it is told to hide them', () => {
    const { stdout } = ddia([
      'dump',
      `${OCF}/users-null.avro`,
      '--limit',
      '2',
      '--json',
      '--redact',
    ]);
    expect(stdout).not.toContain('né');
    expect(lines<{ value: unknown }>({ stdout } as never)[0]?.value).toHaveProperty(
      'redacted.length',
    );
  });
});

describe('concat and recodec', () => {
  it('keep all data, whatever the codecs', () => {
    const out = join(scratch, 'all.avro');
    const inputs = ['null', 'deflate', 'snappy'].map((codec) => `${OCF}/users-${codec}.avro`);
    const result = json(ddia(['avro', 'concat', ...inputs, '--out', out, '--json']));
    expect(result).toMatchObject({ records: 1200, blocks: 12 });
    const one = ddia(['avro', 'cat', inputs[0]!]).stdout;
    expect(ddia(['avro', 'cat', out]).stdout).toBe(one.repeat(3));
  });

  it('refuse damage and other schemas, and leave nothing', () => {
    const none = ['--out', join(scratch, 'no.avro')];
    const damaged = ddia(['avro', 'recodec', 'fixtures/avro/damaged/torn.avro', '--json', ...none]);
    expect(json<ErrorAnswer>(damaged).error.code).toBe('damaged');
    const other = join(scratch, 'other.avro');
    ddia(['avro', 'encode', '--schema', USER, '--ocf', '--out', other], {
      input: '{"id":1,"name":"a"}',
    });
    const mixed = ddia(['avro', 'concat', `${OCF}/users-null.avro`, other, '--json', ...none]);
    expect(json<ErrorAnswer>(mixed).error.code).toBe('different-schemas');
    expect(ddia(['verify', none[1]!]).status).toBe(3);
  });
});
