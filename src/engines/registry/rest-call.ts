/** What a handler of the REST interface is given. */
import type { Registry } from './registry.ts';

export interface Call {
  registry: Registry;
  /** What stands in place of the names of a route, decoded. */
  args: string[];
  query: URLSearchParams;
  body: () => Record<string, unknown>;
}

export type Handler = (call: Call) => unknown | Promise<unknown>;

export const flag = (query: URLSearchParams, name: string): boolean => query.get(name) === 'true';
