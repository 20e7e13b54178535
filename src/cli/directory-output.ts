/** A new directory as the place where a writer puts its files. */
import type { FileOutput } from '../formats/file-output.ts';
import type { BufferedFile, NewDirectory } from '../io/new-directory.ts';

export function directoryOutput(directory: NewDirectory): FileOutput {
  let file: BufferedFile | undefined;
  return {
    begin(name) {
      file = directory.create(name);
    },
    write: (bytes) => file!.write(bytes),
    finish: () => file!.finish(),
  };
}
