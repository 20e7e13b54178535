import { DdiaError } from '../../shared/errors.ts';

/** `path`: of the file in question, in the store in `directory`. */
export function corrupt(
  { path, directory }: { readonly path: string; readonly directory: string },
  offset: number,
  why: string,
): DdiaError {
  return new DdiaError('corrupt', `${path} @ ${offset}: ${why}`, whatToDo(directory));
}

export function whatToDo(directory: string): string {
  return `look: ddia bitcask verify ${directory}; then ddia bitcask repair ${directory} --out NEW`;
}
