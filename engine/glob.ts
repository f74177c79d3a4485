/** Whether a path holds a pattern's `*` or `?`. */
export function isGlob(path: string): boolean {
  return /[*?]/.test(path);
}

/** Whether a path, with `/` between its parts, is one that a pattern with `*`, `?` and `**` means. */
export function matchesGlob(file: string, pattern: string): boolean {
  const source = pattern
    .replace(/^\.\//, '')
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*\*\/?|\*|\?/g, (wild) =>
      wild.startsWith('**') ? '.{0,999}' : wild === '*' ? '[^/]{0,999}' : '[^/]',
    );
  try {
    return new RegExp(`^${source}$`).test(file);
  } catch {
    return false;
  }
}
