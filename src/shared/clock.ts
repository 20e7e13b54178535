/**
 * Milliseconds of a clock that never goes back; only differences mean something. What
 * performance.now() gives, without loading the module behind it, which the start would feel.
 */
export function milliseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
