/** Levels of compatibility and modes, of all subjects and of each. */
import { ERRORS } from './model.ts';
import { flag, type Handler } from './rest-call.ts';

export const settingRoutes: [string, string, Handler][] = [
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
