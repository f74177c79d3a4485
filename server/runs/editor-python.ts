import { PYTHON_VARIABLE } from '../../engine/accelerate/rank-commands.ts';
import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { chosenPython } from '../protocol/runs.ts';
import { ask, type RequestSink } from '../rpc/serve.ts';

/** Asks the editor which Python its user has chosen there, for the folder of a file; null where that is none. */
export type AskPython = (configFile: string | null) => Promise<string | null>;

/** Asks the editor at the other end of a connection. */
export function askEditor(connection: RequestSink): AskPython {
  return (configFile) => ask(connection, chosenPython, { configFile });
}

/**
 * The variables that tell the processes of a run which Python the editor has. There are none where the run needs no
 * Python, or where its configuration or the environment says which one computes: both come before the editor.
 */
export async function pythonVariables(
  { engine, accelerate }: Pick<ResolvedConfig, 'engine' | 'accelerate'>,
  configFile: string | null,
  ask: AskPython,
): Promise<NodeJS.ProcessEnv> {
  const isSaid = accelerate.python !== undefined || Boolean(process.env[PYTHON_VARIABLE]);
  if (engine.backend !== 'accelerate' || isSaid) return {};
  const python = await ask(configFile);
  return python === null ? {} : { [PYTHON_VARIABLE]: python };
}
