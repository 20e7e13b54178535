/** More than it takes but where values are placed to make it slow: then they are sorted. */
const ROUNDS_MAX = 48;

/**
 * Puts the first `count` of the values in front, in order; what is behind them is in no order. By
 * quickselect (Hoare, "Algorithm 65: find", 1961): takes time with the number of values, where
 * sorting them all takes more. `compare` orders any two values, none of them alike.
 */
export function selectFirst(
  values: Uint32Array,
  count: number,
  compare: (a: number, b: number) => number,
): Uint32Array {
  let low = 0;
  let high = values.length - 1;
  // Until the place between what is asked for and what is not is a border.
  for (let rounds = 0; low < high && count <= high; rounds++) {
    if (rounds === ROUNDS_MAX) {
      values.subarray(low, high + 1).sort(compare);
      break;
    }
    const pivot = middleOf(values, low, high, compare);
    let i = low;
    let j = high;
    while (i <= j) {
      while (compare(values[i]!, pivot) < 0) i++;
      while (compare(values[j]!, pivot) > 0) j--;
      if (i > j) break;
      const swapped = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swapped;
    }
    if (count <= j) high = j;
    else if (count >= i) low = i;
    else break;
  }
  return values.subarray(0, count).sort(compare);
}

/** Of three: values that are in order already, or in the reverse one, are parted in halves. */
function middleOf(
  values: Uint32Array,
  low: number,
  high: number,
  compare: (a: number, b: number) => number,
): number {
  const a = values[low]!;
  const b = values[(low + high) >>> 1]!;
  const c = values[high]!;
  if (compare(a, b) < 0) {
    if (compare(b, c) < 0) return b;
    return compare(a, c) < 0 ? c : a;
  }
  if (compare(a, c) < 0) return a;
  return compare(b, c) < 0 ? c : b;
}
