import { readConfig } from '../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../engine/config/schema.ts';

/**
 * What a run that goes on is computed by. Its folder may be somebody else's, and a program that it names is not
 * started for that: the configuration file says which Python computes, or else this machine does.
 *
 * @param stored as the run's folder has it
 * @param configFile the run's, if it is known; one that cannot be read says nothing
 */
export async function ownPython(
  { python: _, ...stored }: ResolvedConfig['accelerate'],
  configFile: string | null,
): Promise<ResolvedConfig['accelerate']> {
  const config =
    configFile === null ? undefined : await readConfig(configFile).catch(() => undefined);
  const python = config?.accelerate.python;
  return python === undefined ? stored : { ...stored, python };
}
