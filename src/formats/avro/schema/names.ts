/** Names, namespaces and aliases (specification, Names). */
import { brief } from './defaults.ts';
import { PRIMITIVES, SchemaError } from './model.ts';

const WORD = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Words that stand for types and so name none. */
const TAKEN = new Set<string>([
  ...PRIMITIVES,
  'record',
  'error',
  'enum',
  'fixed',
  'array',
  'map',
  'union',
]);

export function checkWord(name: unknown, what: string, at: string): string {
  if (typeof name !== 'string' || !WORD.test(name)) {
    throw new SchemaError(
      at,
      `${brief(name)} is no name of a ${what}`,
      'names begin with a letter or _, and go on with letters, digits and _',
    );
  }
  return name;
}

export function checkSymbol(symbol: unknown, of: string, at: string): string {
  return checkWord(symbol, `symbol of enum ${of}`, at);
}

/** The full name that a definition gives, and the namespace that what is in it inherits. */
export function nameOf(
  json: Record<string, unknown>,
  outer: string,
  at: string,
): { name: string; namespace: string } {
  const { name, namespace } = json;
  if (typeof name !== 'string') throw new SchemaError(at, `${json['type']} needs a "name"`);
  // A name with dots is a full name, whatever the namespace says.
  const dot = name.lastIndexOf('.');
  const space = dot >= 0 ? name.slice(0, dot) : (namespace ?? outer);
  if (typeof space !== 'string') {
    throw new SchemaError(at, `a namespace is a string, not ${brief(namespace)}`);
  }
  const own = name.slice(dot + 1);
  if (space !== '') for (const word of space.split('.')) checkWord(word, 'namespace', at);
  checkWord(own, String(json['type']), at);
  if (space === '' && TAKEN.has(own)) {
    throw new SchemaError(at, `${own} is a type of Avro's own and cannot be defined anew`);
  }
  return { name: space === '' ? own : `${space}.${own}`, namespace: space };
}

/** Full names; those without a dot are of the namespace of what they stand at. */
export function aliasesOf(json: Record<string, unknown>, namespace: string, at: string): string[] {
  const { aliases = [] } = json;
  if (!Array.isArray(aliases)) throw new SchemaError(at, 'aliases are an array of names');
  return aliases.map((alias: unknown) => {
    if (typeof alias !== 'string') throw new SchemaError(at, `alias ${brief(alias)} is no string`);
    for (const word of alias.split('.')) checkWord(word, 'alias', at);
    return alias.includes('.') || namespace === '' ? alias : `${namespace}.${alias}`;
  });
}
