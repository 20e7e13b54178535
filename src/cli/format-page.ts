/**
 * The page that describes a dialect to the byte: FORMAT.md in its folder, which the build copies.
 */
import { join } from 'node:path';
import { readText } from '../io/small-file.ts';

/** Where the pages of built-in dialects are: as installed, and in a checkout that was not built. */
const PLACES = ['dist/formats', 'src/formats'];

/**
 * Text of the page of a built-in dialect; undefined if it has none. `root` is the package's
 * directory.
 */
export function readFormatPage(root: string, family: string, dialect: string): string | undefined {
  for (const place of PLACES) {
    const page = readText(join(root, place, family, dialect, 'FORMAT.md'));
    if (page !== undefined) return page;
  }
  return undefined;
}
