/** identify: what each PATH is, and on request what every dialect says to it. */
import type { Command } from '@oclif/core';
import { type Identified, identify } from '../formats/detect.ts';
import { everyAnswer } from '../formats/detect-all.ts';
import type { Family, FileSet } from '../formats/format.ts';
import { openFileSet } from '../io/file-set.ts';
import { DdiaError } from '../shared/errors.ts';
import type { DialectAnswer, IdentifyResult } from '../ui/identify-text.ts';
import { askDialects } from './open.ts';

export async function identifyPath(
  command: Command,
  path: string,
  all: boolean,
): Promise<IdentifyResult> {
  const result: IdentifyResult = { path };
  try {
    const set = openFileSet(path);
    const { answer, answers } = await askDialects(
      command,
      set,
      undefined,
      (families) => ask(families, set, all),
      (asked) => !(asked.answer instanceof DdiaError) && isCertain(asked.answer),
    );
    if (answers) result.answers = answers;
    if (answer instanceof DdiaError) return { ...result, error: answer };
    const { family, dialect, detection, files } = answer;
    return {
      path,
      family: family.id,
      dialect: dialect.id,
      confidence: detection.confidence,
      reason: detection.reason,
      files: files.map(({ name }) => name),
      ...(answers && { answers }),
    };
  } catch (error) {
    if (error instanceof DdiaError) return { ...result, error };
    throw error;
  }
}

const isCertain = ({ detection }: Identified): boolean => detection.confidence === 'certain';

async function ask(
  families: readonly Family[],
  set: FileSet,
  all: boolean,
): Promise<{ answer: Identified | DdiaError; answers: DialectAnswer[] | undefined }> {
  const answer = await identify(families, set).catch((error: unknown) => {
    if (error instanceof DdiaError) return error;
    throw error;
  });
  if (!all) return { answer, answers: undefined };
  const answers = await everyAnswer(families, set);
  return {
    answer,
    answers: answers.map(({ family, dialect, detection, file }) => ({
      family: family.id,
      dialect: dialect.id,
      ...detection,
      ...(set.isDirectory && file !== undefined && { file }),
    })),
  };
}
