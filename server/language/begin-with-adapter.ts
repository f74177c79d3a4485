import { getNodeValue } from 'jsonc-parser';
import { member } from '../../engine/config/given.ts';
import { LorafaError } from '../../engine/errors.ts';
import { NotAnObjectError, withoutValue, withValue } from './config-edit.ts';
import { readTree } from './json-path.ts';

/** Keys of section `lora` that may stand beside `init_adapter`, which decides the others. */
const KEPT_WITH_ADAPTER: ReadonlySet<string> = new Set(['init_adapter', 'lora_dropout']);

/** The keys of a section `lora` that an adapter to begin with decides. */
export function decidedByAdapter(lora: unknown): readonly string[] {
  return typeof lora === 'object' && lora !== null
    ? Object.keys(lora).filter((key) => !KEPT_WITH_ADAPTER.has(key))
    : [];
}

/**
 * The text of a configuration with an adapter to begin with, and without what that decides. Comments stay.
 *
 * @param adapter as it is to stand in the text
 * @throws LorafaError `config.syntax`, and `config.invalid_value` where a section is no section
 */
export function beginWithAdapter(text: string, adapter: string): string {
  const { root, errorOffset } = readTree(text);
  if (errorOffset !== undefined) {
    throw new LorafaError(
      'config.syntax',
      'The configuration by which the run was started is not valid JSON any more; mend it first.',
    );
  }
  const config: unknown = root && getNodeValue(root);
  const removed = [
    ...decidedByAdapter(member(config, 'lora')).map((key) => ['lora', key]),
    // Where another run was to go on.
    ['training', 'resume_from_checkpoint'],
  ];
  const changed = removed.reduce(withoutValue, text);
  try {
    return withValue(changed, ['lora', 'init_adapter'], adapter);
  } catch (error) {
    if (!(error instanceof NotAnObjectError)) throw error;
    throw new LorafaError('config.invalid_value', `${error.message} Mend the configuration first.`);
  }
}
