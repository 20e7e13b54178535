// Figures as a table in Markdown.
import { arch, cpus, loadavg, platform } from 'node:os';
import { median } from './measure.js';

const threeDigits = (value) => value.toLocaleString('en', { maximumSignificantDigits: 3 });

export class Report {
  #lines = [];
  missed = 0;

  section(title) {
    this.#lines.push(
      `\n### ${title}\n`,
      '| figure | median | lowest … highest | target | met |',
      '|---|--:|--:|--:|:-:|',
    );
  }

  /** Values of all rounds; `target` is {least: n} or {most: n}. */
  row(figure, unit, values, target) {
    const middle = median(values);
    const range = [Math.min(...values), Math.max(...values)].map(threeDigits).join(' … ');
    const bound = target && (target.least === undefined ? `≤ ${target.most}` : `≥ ${target.least}`);
    const met = target && middle >= (target.least ?? middle) && middle <= (target.most ?? middle);
    if (met === false) this.missed++;
    const shown = `${threeDigits(middle)}${unit.startsWith('×') ? ' ×' : ` ${unit}`}`;
    this.#cells([
      figure,
      shown,
      range,
      bound ?? '',
      met === undefined ? '' : met ? 'yes' : '**no**',
    ]);
  }

  /** A figure that somebody else has worked out. */
  plain(figure, text) {
    this.#cells([figure, text, '', '', '']);
  }

  #cells(cells) {
    this.#lines.push(`| ${cells.join(' | ')} |`);
  }

  toString() {
    return `${this.#lines.join('\n').trim()}\n`;
  }
}

/** On what, with what and when: figures mean nothing without it. */
export function machine({ quick, memoryFrom }) {
  const cores = cpus();
  const date = new Date().toISOString().slice(0, 10);
  const load = loadavg()[0].toFixed(1);
  return [
    `- ${cores[0]?.model.trim() ?? 'unknown CPU'}, ${cores.length} cores; ${platform()} ${arch()}`,
    `- Node ${process.version}; ${date}; load average at the start ${load}`,
    `- wall time of whole processes, start included; peak memory: ${memoryFrom}`,
    ...(quick
      ? ['- `--quick`: small inputs, where the start weighs more; targets are for the full size']
      : []),
  ].join('\n');
}
