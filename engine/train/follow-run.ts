import { Ranks } from '../accelerate/ranks.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { fetchInputs } from '../inputs/hub-inputs.ts';
import type { ProgressEvent } from '../plan/plan-reports.ts';

/** What the caller of {@link followRun} hears. */
export interface FollowOptions {
  readonly onProgress: (event: ProgressEvent) => void;
  /** Told each line that a process prints. */
  readonly onOutput?: (line: string) => void;
}

/**
 * Computes for the run that the first of several machines has (`accelerate.machine_rank` over 0), until that ends. Of
 * the configuration only the base model is read, and how it is computed: all else comes from there.
 *
 * @throws LorafaError as `fetchInputs` and `Ranks.start`, and where a process of any machine is gone
 */
export async function followRun(
  config: ResolvedConfig,
  { onProgress, onOutput }: FollowOptions,
): Promise<void> {
  const fetched = await fetchInputs(config, {
    unread: ['training', 'evaluation', 'adapter'],
    onDownload: (state) => onProgress({ type: 'progress', ...state }),
  });
  const task = 'waiting for the first machine';
  onProgress({ type: 'progress', task, done: 0, total: 1 });
  const model = fetched.config.model.base_model_name_or_path;
  const ranks = await Ranks.start(fetched.config, onOutput, model);
  try {
    onProgress({ type: 'progress', task, done: 1, total: 1 });
    await ranks.follow();
  } finally {
    await ranks.release();
  }
}
