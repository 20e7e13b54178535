/** What identify says, to people and as JSON. */
import type { ChalkInstance } from 'chalk';
import type { Detection } from '../formats/format.ts';
import type { DdiaError } from '../shared/errors.ts';
import { colors } from './color.ts';
import { table } from './table.ts';
import { printable } from './text-sink.ts';

export interface DialectAnswer {
  family: string;
  dialect: string;
  confidence: Detection['confidence'];
  reason: string;
  /** Of a directory: the file that the answer is about. */
  file?: string;
}

export interface IdentifyResult {
  path: string;
  /** Absent where nothing fits; then there is `error`. */
  family?: string;
  dialect?: string;
  confidence?: Detection['confidence'];
  reason?: string;
  /** What the dialect reads, in order. */
  files?: string[];
  error?: DdiaError;
  answers?: DialectAnswer[];
}

/** File names that are listed before the rest is counted. */
const FILES_LISTED_MAX = 4;

export async function identifyText(results: IdentifyResult[], color: boolean): Promise<string> {
  const chalk = await colors(color);
  const parts: string[] = [];
  for (const result of results) parts.push(await one(result, chalk));
  return parts.join('');
}

async function one(result: IdentifyResult, chalk: ChalkInstance): Promise<string> {
  const { path, family, dialect, confidence, reason, files, answers, error } = result;
  let text = '';
  if (family !== undefined) {
    const sure = confidence === 'certain' ? chalk.green(confidence) : chalk.yellow(confidence);
    text += `${printable(path)}: ${family} ${dialect}, ${sure}: ${printable(reason ?? '')}\n`;
    if (files && files.length > 1) text += `  ${fileList(files)}\n`;
  } else if (error) text += `${chalk.red(printable(error.message))}\n`; // it names the path
  if (!answers) return text;
  const rows = answers.map((answer) => [
    `${answer.family}/${answer.dialect}`,
    answer.confidence,
    (answer.file === undefined ? '' : `${answer.file}: `) + answer.reason,
  ]);
  return text + indent(await table(['DIALECT', 'ANSWER', 'WHY'], rows, chalk));
}

function fileList(files: string[]): string {
  const shown = files.slice(0, FILES_LISTED_MAX).map(printable).join(', ');
  const rest = files.length - FILES_LISTED_MAX;
  return `${files.length} files: ${shown}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

export function identifyJson(results: IdentifyResult[]): unknown {
  return {
    results: results.map(({ error, ...result }) => ({
      ...result,
      ...(error && {
        error: {
          code: error.code,
          message: error.message,
          ...(error.hint !== undefined && { hint: error.hint }),
        },
      }),
    })),
  };
}
