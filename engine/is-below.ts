import path from 'node:path';

/** Whether a path is that of a folder or of something in it, be its name `..x`. */
export function isBelow(folder: string, file: string): boolean {
  const [first] = path.relative(folder, file).split(path.sep);
  return first !== '..' && !path.isAbsolute(first!);
}
