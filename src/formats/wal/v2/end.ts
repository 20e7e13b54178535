/** Where what is intact of a segment ends, for those who go on writing there. */
export class SegmentEnd {
  /** File offset behind a fragment, and its crc. */
  position = 0;
  chain = 0;
  /** Kind and number of that fragment, if it is a mark. */
  mark = 0;
  markNextSeq = 0n;
}
