/** A size on disk as people say it: `12.3 MiB`. */
export function formatSize(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.max(0.1, bytes / 2 ** 20).toFixed(1)} MiB`;
}
