/**
 * The layout of a file: one span a page, with its fields. What a page is, its bytes do not always
 * tell, so the trees are walked first.
 */
import { Turns } from '../../shared/turns.ts';
import type { ByteSource, Span } from '../format.ts';
import { Check } from './check.ts';
import type { BtreeContext, BtreeOpened } from './model.ts';
import { run } from './steps.ts';

export async function layoutOfPages(
  input: BtreeOpened,
  source: ByteSource,
  context: BtreeContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  // As the file lies there: what a log beside it has is not in its bytes.
  const file = await input.dialect.open(input, withoutClose(source), {
    ...context,
    options: { ...context.options, alone: true },
  });
  const codes = new Map<number, string>();
  const check = new Check(file, file.pageCount, ({ page, code, severity }) => {
    if (page !== undefined && severity !== 'info' && !codes.has(page)) codes.set(page, code);
  });
  await run(file.check(check, {}), context, file);
  const turns = new Turns(context);
  const end = file.firstPage + Math.floor(file.size / file.pageSize);
  for (let page = file.firstPage; page < end; page++) {
    const span = file.spans(page, check.kindOf(page));
    const code = codes.get(page);
    if (!visit(code === undefined ? span : { ...span, damage: code })) return;
    if (page % 16 === 0 && turns.due) await turns.take();
  }
  const rest = file.size % file.pageSize;
  if (rest > 0) {
    const value = `${rest} bytes, less than a page`;
    visit({ name: 'tail', offset: file.size - rest, length: rest, value, damage: 'file-tail' });
  }
}

function withoutClose(source: ByteSource): ByteSource {
  return {
    name: source.name,
    size: source.size,
    ...(source.forwardOnly !== undefined && { forwardOnly: source.forwardOnly }),
    read: (target, start, length, position) => source.read(target, start, length, position),
  };
}
