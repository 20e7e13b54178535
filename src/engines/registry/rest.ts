/**
 * The REST interface of the Schema Registry, without the network: a request in, an answer out.
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
import { DdiaError } from '../../shared/errors.ts';
import {
  ERRORS,
  type Reference,
  RegistryError,
  SCHEMA_TYPES,
  type SchemaInput,
  type SchemaType,
  type StoredSchema,
} from './model.ts';
import { type FullVersion, type Registry, versionNumber } from './registry.ts';

export interface RestRequest {
  method: string;
  /** With its query: `/subjects/a/versions?deleted=true`. */
  url: string;
  body: string;
}

export interface RestAnswer {
  status: number;
  /** To be printed as JSON, or a schema as it stands. */
  body: unknown;
}

interface Call {
  registry: Registry;
  /** What stands in place of the names of a route, decoded. */
  args: string[];
  query: URLSearchParams;
  body: () => Record<string, unknown>;
}

type Handler = (call: Call) => unknown | Promise<unknown>;

export async function answer(registry: Registry, request: RestRequest): Promise<RestAnswer> {
  try {
    return { status: 200, body: await dispatch(registry, request) };
  } catch (error) {
    if (error instanceof RegistryError) {
      const { status, errorCode, message } = error;
      return { status, body: { error_code: errorCode, message } };
    }
    if (!(error instanceof DdiaError)) throw error;
    return { status: 500, body: { error_code: 50001, message: error.message } };
  }
}

function dispatch(registry: Registry, { method, url, body }: RestRequest): unknown {
  const { pathname, searchParams } = new URL(url, 'http://registry');
  let known = false;
  for (const [verb, pattern, handler] of ROUTES) {
    const match = pattern.exec(pathname);
    if (!match) continue;
    known = true;
    if (verb !== method) continue;
    const args = match.slice(1).map(decodeURIComponentSafely);
    return handler({ registry, args, query: searchParams, body: () => bodyOf(body) });
  }
  throw known
    ? new RegistryError(405, `HTTP 405 Method Not Allowed: ${method} ${pathname}`)
    : new RegistryError(404, `HTTP 404 Not Found: ${pathname}`);
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RegistryError(400, `HTTP 400 Bad Request: ${text} is no encoded name`);
  }
}

function bodyOf(text: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text === '' ? '{}' : text);
  } catch (error) {
    throw new RegistryError(400, `HTTP 400 Bad Request: ${(error as Error).message}`);
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  throw new RegistryError(400, 'HTTP 400 Bad Request: the body is no object');
}

/** The schema of a request. */
export function schemaInput(body: Record<string, unknown>): SchemaInput {
  const { schema, schemaType = 'AVRO', references = [] } = body;
  if (typeof schema !== 'string') throw ERRORS.invalidSchema('"schema" must be a string');
  if (!SCHEMA_TYPES.includes(schemaType as SchemaType)) {
    throw ERRORS.invalidSchema(`schemaType ${JSON.stringify(schemaType)} is not known`);
  }
  if (!Array.isArray(references)) throw ERRORS.invalidSchema('"references" must be an array');
  return {
    type: schemaType as SchemaType,
    text: schema,
    references: references.map(reference),
  };
}

function reference(json: unknown): Reference {
  const { name, subject, version } = (json ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || typeof subject !== 'string' || !Number.isInteger(version)) {
    throw ERRORS.invalidSchema('a reference needs a name, a subject and a version');
  }
  return { name, subject, version: version as number };
}

/** A schema as answers have it: what is the usual case is left out. */
function schemaJson({ type, text, references }: StoredSchema): Record<string, unknown> {
  return {
    ...(type !== 'AVRO' && { schemaType: type }),
    ...(references.length > 0 && { references }),
    schema: text,
  };
}

function versionJson(full: FullVersion): Record<string, unknown> {
  const { subject, version, id } = full;
  return { subject, version, id, ...schemaJson(full) };
}

const flag = (query: URLSearchParams, name: string): boolean => query.get(name) === 'true';
const idOf = (text: string): number => {
  const id = Number(text);
  if (!Number.isSafeInteger(id) || id < 0) throw ERRORS.schemaNotFound(`Schema ${text} not found`);
  return id;
};

function compatibility(call: Call, against: string | undefined): Record<string, unknown> {
  const { registry, args, query, body } = call;
  const problems = registry.check(args[0]!, schemaInput(body()), against);
  const verbose = flag(query, 'verbose') && { messages: problems };
  return { is_compatible: problems.length === 0, ...verbose };
}

const schemaRoutes: [string, string, Handler][] = [
  ['GET', '/', () => ({})],
  ['GET', '/schemas/types', () => ['JSON', 'PROTOBUF', 'AVRO']],
  ['GET', '/schemas/ids/*', ({ registry, args }) => schemaJson(registry.schema(idOf(args[0]!)))],
  [
    'GET',
    '/schemas/ids/*/schema',
    ({ registry, args }) => rawText(registry.schema(idOf(args[0]!))),
  ],
  [
    'GET',
    '/schemas/ids/*/subjects',
    ({ registry, args, query }) => {
      const uses = registry.uses(idOf(args[0]!), flag(query, 'deleted'));
      return [...new Set(uses.map(({ subject }) => subject))];
    },
  ],
  [
    'GET',
    '/schemas/ids/*/versions',
    ({ registry, args, query }) => registry.uses(idOf(args[0]!), flag(query, 'deleted')),
  ],
];

const subjectRoutes: [string, string, Handler][] = [
  [
    'GET',
    '/subjects',
    ({ registry, query }) => {
      const prefix = query.get('subjectPrefix') ?? '';
      return registry.subjects(flag(query, 'deleted')).filter((one) => one.startsWith(prefix));
    },
  ],
  [
    'POST',
    '/subjects/*',
    ({ registry, args, query, body }) =>
      versionJson(registry.lookup(args[0]!, schemaInput(body()), flag(query, 'deleted'))),
  ],
  [
    'DELETE',
    '/subjects/*',
    ({ registry, args, query }) => registry.deleteSubject(args[0]!, flag(query, 'permanent')),
  ],
  [
    'GET',
    '/subjects/*/versions',
    ({ registry, args, query }) =>
      registry.versions(args[0]!, flag(query, 'deleted')).map(({ version }) => version),
  ],
  [
    'POST',
    '/subjects/*/versions',
    async ({ registry, args, body }) => {
      const { id } = await registry.register(args[0]!, schemaInput(body()));
      return { id };
    },
  ],
  [
    'GET',
    '/subjects/*/versions/*',
    ({ registry, args, query }) =>
      versionJson(registry.version(args[0]!, args[1]!, flag(query, 'deleted'))),
  ],
  [
    'DELETE',
    '/subjects/*/versions/*',
    ({ registry, args, query }) =>
      registry.deleteVersion(args[0]!, args[1]!, flag(query, 'permanent')),
  ],
  [
    'GET',
    '/subjects/*/versions/*/schema',
    ({ registry, args, query }) =>
      rawText(registry.version(args[0]!, args[1]!, flag(query, 'deleted'))),
  ],
  [
    'GET',
    '/subjects/*/versions/*/referencedby',
    ({ registry, args }) => {
      const { version } = registry.version(args[0]!, args[1]!);
      return registry.referencedBy(args[0]!, version);
    },
  ],
  ['POST', '/compatibility/subjects/*/versions', (call) => compatibility(call, undefined)],
  [
    'POST',
    '/compatibility/subjects/*/versions/*',
    (call) => {
      versionNumber(call.args[1]!);
      return compatibility(call, call.args[1]!);
    },
  ],
];

const settingRoutes: [string, string, Handler][] = [
  ['GET', '/config', ({ registry }) => ({ compatibilityLevel: registry.state.level })],
  [
    'PUT',
    '/config',
    async ({ registry, body }) => {
      const level = body()['compatibility'] ?? '';
      await registry.setLevel(null, level);
      return { compatibility: level };
    },
  ],
  [
    'DELETE',
    '/config',
    async ({ registry }) => {
      await registry.setLevel(null, null);
      return { compatibilityLevel: registry.state.level };
    },
  ],
  [
    'GET',
    '/config/*',
    ({ registry, args, query }) => {
      const own = registry.state.levels.get(args[0]!);
      if (!own && !flag(query, 'defaultToGlobal')) throw ERRORS.configNotFound(args[0]!);
      return { compatibilityLevel: own ?? registry.state.level };
    },
  ],
  [
    'PUT',
    '/config/*',
    async ({ registry, args, body }) => {
      const level = body()['compatibility'] ?? '';
      await registry.setLevel(args[0]!, level);
      return { compatibility: level };
    },
  ],
  [
    'DELETE',
    '/config/*',
    async ({ registry, args }) => {
      const own = registry.state.levels.get(args[0]!);
      if (!own) throw ERRORS.configNotFound(args[0]!);
      await registry.setLevel(args[0]!, null);
      return { compatibilityLevel: own };
    },
  ],
  ['GET', '/mode', ({ registry }) => ({ mode: registry.state.mode })],
  [
    'PUT',
    '/mode',
    async ({ registry, body }) => {
      const mode = body()['mode'] ?? '';
      await registry.setMode(null, mode);
      return { mode };
    },
  ],
  [
    'GET',
    '/mode/*',
    ({ registry, args, query }) => {
      const own = registry.state.modes.get(args[0]!);
      if (!own && !flag(query, 'defaultToGlobal')) throw ERRORS.modeNotFound(args[0]!);
      return { mode: own ?? registry.state.mode };
    },
  ],
  [
    'PUT',
    '/mode/*',
    async ({ registry, args, body }) => {
      const mode = body()['mode'] ?? '';
      await registry.setMode(args[0]!, mode);
      return { mode };
    },
  ],
  [
    'DELETE',
    '/mode/*',
    async ({ registry, args }) => {
      const own = registry.state.modes.get(args[0]!);
      if (!own) throw ERRORS.modeNotFound(args[0]!);
      await registry.setMode(args[0]!, null);
      return { mode: own };
    },
  ],
];

/** A JSON document that is printed as it was registered. */
export class RawText {
  constructor(readonly text: string) {}
}

function rawText({ text }: StoredSchema): RawText {
  return new RawText(text);
}

/** `*` stands for a name. */
const ROUTES = [...schemaRoutes, ...subjectRoutes, ...settingRoutes].map(
  ([method, path, handler]): [string, RegExp, Handler] => [
    method,
    new RegExp(`^${path.replaceAll('*', '([^/]+)')}/?$`),
    handler,
  ],
);
