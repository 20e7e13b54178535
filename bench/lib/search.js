// Files without an end to the search: what it costs must grow with the bytes, whatever they hold.
import { ddia, MIB } from './inputs.js';
import { alternate, output, peaksOf, ratios, secondsOf } from './measure.js';

/** Larger to smaller input. */
const SCALE = 8;
/** The longest record that is believed unless told otherwise. */
const CLAIM_MAX = 64 * MIB;

export function search(report, inputs, { quick }) {
  const bytes = (quick ? 128 : 1024) * MIB;
  const shown = (size) => (size % (1024 * MIB) ? `${size / MIB} MiB` : `${size / MIB / 1024} GiB`);
  report.section(`wal v1: one record and ${shown(bytes)} in which there is none`);
  for (const kind of ['zeros', 'ones', 'near-misses']) {
    const { large, small } = alternate(
      {
        large: verify(inputs.search(bytes, kind)),
        small: verify(inputs.search(bytes / SCALE, kind)),
      },
      5,
    );
    report.row(kind, 's', secondsOf(large));
    report.row(`${kind}, ${shown(bytes / SCALE)}`, 's', secondsOf(small));
    // The start is in both, so a linear search shows as less than the sizes' ratio; noise may add
    // to it.
    report.row(`${kind}, ${SCALE} times the bytes take`, '×', ratios(large, small), {
      most: SCALE * 1.25,
    });
    peak(report, kind, large);
  }
  const far = inputs.search(128 * MIB, 'near-misses', CLAIM_MAX);
  const { runs } = alternate({ runs: verify(far) }, 5);
  report.row('near-misses that claim 64 MiB each, 128 MiB', 's', secondsOf(runs));
  peak(report, 'near-misses that claim 64 MiB each', runs);
}

/** Nothing may be found: the end of the file is a torn tail. */
function verify(path) {
  const command = ddia(['wal', 'verify', '--dialect', 'v1', path], { exits: [4] });
  const asked = { ...command, args: [...command.args, '--json'] };
  const { records } = JSON.parse(output(asked)).results[0].stats;
  if (records !== 1) throw new Error(`${path}: ${records} records, expected 1`);
  return command;
}

function peak(report, name, runs) {
  const peaks = peaksOf(runs);
  if (peaks.length > 0) report.row(`${name}, peak memory`, 'MB', peaks);
}
