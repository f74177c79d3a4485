import type { ConfigPath } from '../../../engine/config/config-error.ts';
import { cachedInput } from '../../../engine/inputs/hub-inputs.ts';
import type { InputUse } from '../../../engine/inputs/hub-source.ts';
import { type Finding, finding, findingOf } from './finding.ts';

/** Where an input of a configuration is on this machine, or why nothing can be said about it. */
export type NamedInput =
  | { readonly paths: readonly [string, ...string[]] }
  | { readonly paths: undefined; readonly finding: Finding };

/**
 * Looks for an input, which may be a name on the Hugging Face Hub. What is not here yet is no mistake
 * and is not downloaded: that is for a run to do, and not for typing.
 */
export async function namedInput(
  name: string,
  use: InputUse,
  path: ConfigPath,
): Promise<NamedInput> {
  try {
    const [first, ...others] = (await cachedInput(name, use)) ?? [];
    if (first !== undefined) return { paths: [first, ...others] };
  } catch (error) {
    return { paths: undefined, finding: findingOf(error, path) };
  }
  return {
    paths: undefined,
    finding: finding(
      'information',
      path,
      'hub.not_cached',
      `"${name}" is taken as a name on the Hugging Face Hub, since no file or folder has it; it is not on this machine yet, and is downloaded when a run starts`,
    ),
  };
}
