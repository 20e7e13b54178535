/**
 * The shortest key that is greater than `below` and at most `from`: what an interior page needs to
 * tell the two apart (Bayer and Unterauer, "Prefix B-Trees", 1977).
 */
export function separator(below: Uint8Array, from: Uint8Array): Uint8Array {
  const most = Math.min(below.length, from.length);
  let same = 0;
  while (same < most && below[same] === from[same]) same++;
  // A copy also of a Buffer, whose slice is none.
  return new Uint8Array(from.subarray(0, Math.min(same + 1, from.length)));
}
