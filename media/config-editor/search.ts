import type { FormField } from '../../server/language/config-form.ts';
import { pathKey } from './place-problems.ts';

/** Whether a field has to do with every word that was searched for. */
export function matchesSearch(field: FormField, search: string): boolean {
  const text = `${pathKey(field.path)} ${field.description} ${field.accepts}`.toLowerCase();
  // Names are searched for with underscores or without.
  const spaced = text.replaceAll('_', ' ');
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word) || spaced.includes(word));
}
