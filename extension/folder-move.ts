/** The folder of a run or of an adapter that has another name now, by its paths. */
export interface FolderMove {
  readonly from: string;
  readonly to: string;
}

/** Where a file or folder is after a move: elsewhere if it was that folder, or in it. */
export function movedPath(file: string, { from, to }: FolderMove): string {
  const rest = file.slice(from.length);
  return file.startsWith(from) && /^(?:$|[\\/])/.test(rest) ? `${to}${rest}` : file;
}
