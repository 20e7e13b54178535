/** Colours, loaded when used; none unless stdout is a terminal or FORCE_COLOR says so. */
import type { ChalkInstance } from 'chalk';

export async function colors(wanted: boolean): Promise<ChalkInstance> {
  const { Chalk, supportsColor } = await import('chalk');
  // FORCE_COLOR is chalk's own; NO_COLOR (no-color.org) and --no-color win over the terminal.
  const off = !wanted || (process.env['NO_COLOR'] ?? '') !== '';
  return new Chalk({ level: off ? 0 : supportsColor ? supportsColor.level : 0 });
}
