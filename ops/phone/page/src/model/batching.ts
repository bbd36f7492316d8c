/** Batches by length: texts of like length run together, so that little of a batch is padding. */

/**
 * Group texts, given by their lengths in tokens, and return the groups' positions, the shortest texts first.
 *
 * A group's padded size is its longest length times its count. It is at most `budget` tokens, unless a single text is
 * longer. Every position is in exactly one group, and says where that text's answer belongs.
 */
export function batches(lengths: readonly number[], budget: number): number[][] {
  const groups: number[][] = [];
  const ascending = [...lengths.entries()].sort(([, a], [, b]) => a - b);
  for (const [position, length] of ascending) {
    const last = groups.at(-1);
    // In ascending order, the one that comes is the longest of its group.
    if (last && length * (last.length + 1) <= budget) last.push(position);
    else groups.push([position]);
  }
  return groups;
}
