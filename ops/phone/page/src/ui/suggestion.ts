/** A name to suggest for this phone. Pure. */

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android.*Mobile/, "Android phone"],
  [/Android/, "Android tablet"],
  [/Macintosh/, "Mac"],
  [/Windows/, "Windows PC"],
  [/CrOS/, "Chromebook"],
  [/Linux/, "Linux PC"],
];

/** Suggest what to call a device, by what its browser says of itself. */
export function suggestedName(userAgent: string): string {
  return KINDS.find(([sign]) => sign.test(userAgent))?.[1] ?? "Phone";
}
