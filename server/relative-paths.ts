import path from 'node:path';

/** A text for people in which paths in folders are named from these on; with several, by their names. */
export function pathsFrom(
  text: string,
  folders: readonly { readonly name: string; readonly path: string }[],
): string {
  return folders.reduce((shown, folder) => {
    const start = folders.length > 1 ? `${folder.name}${path.sep}` : '';
    return shownFrom(shown, folder.path, start);
  }, text);
}

/** Replaces a folder where a path begins with it, and not inside of a longer one. */
function shownFrom(text: string, folder: string, start: string): string {
  const prefix = folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`;
  if (prefix === path.sep) return text;
  let shown = '';
  let rest = text;
  for (let at = rest.indexOf(prefix); at !== -1; at = rest.indexOf(prefix)) {
    shown += rest.slice(0, at);
    shown += /[\p{L}\p{N}._~/\\-]$/u.test(shown) ? prefix : start;
    rest = rest.slice(at + prefix.length);
  }
  return shown + rest;
}
