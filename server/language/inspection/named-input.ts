import path from 'node:path';
import type { ConfigPath } from '../../../engine/config/config-error.ts';
import { type Given, member } from '../../../engine/config/given.ts';
import { respelt } from '../../../engine/config/nearest-path.ts';
import { type Remedy, setValue } from '../../../engine/config/path-problem.ts';
import { cachedInput } from '../../../engine/inputs/hub-inputs.ts';
import type { InputUse } from '../../../engine/inputs/hub-source.ts';
import { MisspeltInput, nearestInput } from '../../../engine/inputs/misspelt-input.ts';
import { type Finding, finding, findingOf } from './finding.ts';

/** Where an input of a configuration is on this machine, or why nothing can be said about it. */
export type NamedInput =
  | { readonly paths: readonly [string, ...string[]] }
  | { readonly paths: undefined; readonly finding: Finding };

/** A configuration as a person wrote it. */
export interface WrittenConfig {
  /** Where relative paths start. */
  readonly folder: string;
  readonly given: Given;
}

/**
 * Looks for an input, which may be a name on the Hugging Face Hub. What is not here yet is no mistake
 * and is not downloaded: that is for a run to do, and not for typing.
 *
 * @param at the key that names it
 */
export async function namedInput(
  name: string,
  use: InputUse,
  at: ConfigPath,
  config: WrittenConfig,
): Promise<NamedInput> {
  const written = writtenAt(at, config);
  try {
    const [first, ...others] = (await cachedInput(name, use)) ?? [];
    if (first !== undefined) return { paths: [first, ...others] };
  } catch (error) {
    const remedies =
      error instanceof MisspeltInput ? [setValue(at, respelt(written, error.near))] : [];
    return { paths: undefined, finding: findingOf(error, at, remedies) };
  }
  const { hint, remedies } = await likePath(written, use, at, config);
  return {
    paths: undefined,
    finding: finding(
      'information',
      at,
      'hub.not_cached',
      `"${name}" is taken as a name on the Hugging Face Hub, since no file or folder has it${hint}; it is not on this machine yet, and is downloaded when a run starts`,
      remedies,
    ),
  };
}

/** What a name of the Hub may have been meant for: something in a folder here that is called as the owner. */
async function likePath(
  written: string,
  use: InputUse,
  at: ConfigPath,
  { folder }: WrittenConfig,
): Promise<{ readonly hint: string; readonly remedies: readonly Remedy[] }> {
  const near = await nearestInput(path.resolve(folder, written), use);
  if (near === undefined || near.wrong !== path.basename(written))
    return { hint: '', remedies: [] };
  const meant = respelt(written, near);
  return { hint: ` (there is "${meant}")`, remedies: [setValue(at, meant)] };
}

function writtenAt([section, key, ...rest]: ConfigPath, { given }: WrittenConfig): string {
  const value = rest.reduce<unknown>(
    (each, part) => member(each, String(part)),
    given(String(section), String(key)),
  );
  return typeof value === 'string' ? value : '';
}
