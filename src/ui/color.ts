/** Colours, loaded when used; none unless stdout is a terminal or FORCE_COLOR says so. */
import type { ChalkInstance } from 'chalk';

export type Styles = ChalkInstance;

/**
 * Every style of it leaves the text as it is, so that chalk need not be loaded for plain output. It
 * must not look like a promise, or whoever awaits it waits for ever.
 */
const PLAIN: Styles = new Proxy(((text: string) => text) as ChalkInstance, {
  get: (_, name) => (name === 'then' ? undefined : PLAIN),
});

/** `wanted`: --color; NO_COLOR (no-color.org) and --no-color win over everything. */
export async function colors(wanted: boolean): Promise<Styles> {
  const forced = process.env['FORCE_COLOR'];
  const off = !wanted || (process.env['NO_COLOR'] ?? '') !== '' || forced === '0';
  if (off || (forced === undefined && process.stdout.isTTY !== true)) return PLAIN;
  const { Chalk, supportsColor } = await import('chalk');
  const level = supportsColor ? supportsColor.level : 0;
  return new Chalk({ level: forced === undefined || level > 0 ? level : 1 });
}
