import { resolveInput } from '../../engine/config/resolve-paths.ts';
import { fetchInput } from '../../engine/inputs/hub-inputs.ts';
import { stderrProgress } from './stderr-progress.ts';

/**
 * The path of a model or adapter that is named on the command line, from the current folder or on the
 * Hugging Face Hub, from where it is downloaded.
 *
 * @throws HubError, and LorafaError `output.not_writable`
 */
export function localPath(name: string, use: 'model' | 'adapter'): Promise<string> {
  const report = stderrProgress();
  return fetchInput(resolveInput(name, process.cwd()), use, (state) =>
    report({ type: 'progress', ...state }),
  );
}
