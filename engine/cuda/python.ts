import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { withoutToken } from '../hub/hub-token.ts';
import { parseJson } from '../json.ts';

/** A Python of this machine. */
export interface Python {
  readonly program: string;
  /** Folders in which it looks for packages. */
  readonly folders: readonly string[];
  readonly hasPip: boolean;
}

/** It answers at once, or is none. */
const ANSWER_MS = 20_000;

/** Asks Python what it has, of which nothing is loaded. */
const QUESTION = `
import importlib.util, json, sys
print(json.dumps({"folders": [p for p in sys.path if p], "hasPip": importlib.util.find_spec("pip") is not None}))
`;

const answerSchema = z.object({ folders: z.array(z.string()), hasPip: z.boolean() });

/**
 * The Pythons of this machine, without those that do not answer: that of the environment that is active, and the
 * system's.
 */
export async function findPythons(
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly Python[]> {
  const active = [env['VIRTUAL_ENV'], env['CONDA_PREFIX']].filter(
    (folder) => folder !== undefined && folder !== '',
  );
  const programs = [...active.map((folder) => path.join(folder!, 'bin', 'python')), 'python3'];
  const answers = await Promise.all(programs.map((program) => ask(program, env)));
  return answers.filter((answer) => answer !== undefined);
}

/** How Python is started: not in the user's folder, whose files it would take for its own modules. */
export function pythonOptions(env: NodeJS.ProcessEnv = process.env): {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
} {
  return { cwd: homedir(), env: withoutToken(env) };
}

function ask(program: string, env: NodeJS.ProcessEnv): Promise<Python | undefined> {
  return new Promise((resolve) => {
    const options = { ...pythonOptions(env), timeout: ANSWER_MS };
    execFile(program, ['-c', QUESTION], options, (error, stdout) => {
      const answer = error === null ? readAnswer(stdout) : undefined;
      resolve(answer === undefined ? undefined : { program, ...answer });
    });
  });
}

/** Whatever else an installation prints comes before. */
function readAnswer(stdout: string): z.infer<typeof answerSchema> | undefined {
  try {
    return answerSchema.parse(parseJson(stdout.trim().split('\n').at(-1)!));
  } catch {
    return undefined;
  }
}
