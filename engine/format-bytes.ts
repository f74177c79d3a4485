/**
 * Bytes for a sentence: in KiB, MiB or GiB, of the last with one digit. Little is not shown as nothing.
 *
 * @returns such as "845 KiB", "12 MiB", "1.5 GiB"
 */
export function formatBytes(bytes: number): string {
  const kibibytes = bytes / 2 ** 10;
  // What would be rounded to a whole unit is told in that one.
  if (kibibytes < 1023.5) return `${bytes > 0 ? Math.max(1, Math.round(kibibytes)) : 0} KiB`;
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1023.5
    ? `${mebibytes.toFixed(0)} MiB`
    : `${(mebibytes / 1024).toFixed(1)} GiB`;
}
