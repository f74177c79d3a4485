import type { FormProblem } from '../../extension/config-editor/messages.ts';
import type { ConfigForm } from '../../server/language/config-form.ts';

/** Problems by the place in the form that shows them. */
export interface PlacedProblems {
  /** By {@link pathKey} of a field, or by the name of a section. */
  readonly at: ReadonlyMap<string, readonly FormProblem[]>;
}

/** The path of a field as one string, unique in the form. */
export function pathKey(path: readonly (string | number)[]): string {
  return path.join('.');
}

/**
 * Finds the place of each problem: its field, or that of a list or an object around it, else its
 * section. What has no place stands in the summary alone.
 */
export function placeProblems(form: ConfigForm, problems: readonly FormProblem[]): PlacedProblems {
  const places = new Set(
    form.sections.flatMap(({ name, fields }) => [name, ...fields.map(({ path }) => pathKey(path))]),
  );
  const at = new Map<string, FormProblem[]>();
  for (const problem of problems) {
    const place = placesOf(problem.path).find((prefix) => places.has(prefix));
    if (place !== undefined) at.set(place, [...(at.get(place) ?? []), problem]);
  }
  return { at };
}

/** Keys of a path and of the paths around it, longest first. */
export function placesOf(path: FormProblem['path']): readonly string[] {
  return path.map((_, index) => pathKey(path.slice(0, path.length - index)));
}

/** The key that a problem is about, and the message without it where it begins with that. */
export function keyAndRest(
  path: FormProblem['path'],
  message: string,
): { readonly key: string; readonly rest: string } {
  // An item of a list is shown where the list is.
  const key = pathKey(path.filter((part) => typeof part === 'string'));
  const start = `\`${key}\` `;
  return { key, rest: message.startsWith(start) ? message.slice(start.length) : message };
}
