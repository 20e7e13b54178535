/** Code that passes over what nobody wants, by sizes where the data has them. */

import type { Plan } from '../resolve/plan.ts';
import { minimumBytes } from '../schema/model.ts';
import { type Coder, recordGuard } from './coder.ts';

/** A statement that passes over one datum. */
export function skipCode(coder: Coder, plan: Plan): string {
  switch (plan.op) {
    case 'null':
      return '';
    case 'int':
    case 'boolean':
    case 'long':
    case 'float':
    case 'double':
      return `c.${plan.op}();`;
    case 'bytes':
    case 'string':
      return 'c.skipText();';
    case 'fixed':
      return `c.skipFixed(${plan.size});`;
    case 'enum':
      return `c.enum(${plan.writer.symbols.length});`;
    case 'refused':
      return `c.refuse(${coder.constant(plan.problem)});`;
    case 'union': {
      const cases = plan.branches.map((one, i) => `case ${i}:${skipCode(coder, one)}break;`);
      return `switch(c.int()){${cases.join('')}default:c.fail();}`;
    }
    case 'array': {
      const item = `(c)=>{${skipCode(coder, plan.items)}}`;
      return `c.skipBlocks(${minimumBytes(plan.writer)},${item});`;
    }
    case 'map': {
      const item = `(c)=>{c.skipText();${skipCode(coder, plan.values)}}`;
      return `c.skipBlocks(${1 + minimumBytes(plan.writer)},${item});`;
    }
    case 'record': {
      const { steps } = plan;
      const fields = () => steps.map((step) => skipCode(coder, step.plan)).join('');
      const body = () => recordGuard(plan.writer) + fields();
      const name = coder.routine(steps, 'skip', body, undefined, true);
      return `${name}(c);`;
    }
  }
}
