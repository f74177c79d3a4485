import type { ConfigPath } from '../../../engine/config/config-error.ts';
import type { PathProblem, Remedy } from '../../../engine/config/path-problem.ts';
import { type ErrorCode, LorafaError } from '../../../engine/errors.ts';
import type { RunRemedy } from '../run-remedy.ts';

/** How much a finding matters: a run is refused, is probably not what was meant, or good to know. */
export type Severity = 'error' | 'warning' | 'information';

/** What was found: what would refuse a run, what no run is refused for, or why it is not known. */
export type FindingCode =
  | ErrorCode
  | 'data.duplicates'
  | 'data.single_token'
  | 'data.shared'
  | 'data.truncated'
  | 'data.unseparated'
  | 'inspection.ended'
  | 'output.occupied'
  | 'plan.memory'
  | 'plan.steps';

/** Something to say about a value of a configuration, found in the files that it names. */
export interface Finding extends Omit<PathProblem, 'code' | 'remedies'> {
  readonly severity: Severity;
  readonly code: FindingCode;
  readonly remedies?: readonly FindingRemedy[];
}

/** What can be done about a finding. */
export type FindingRemedy = Remedy | RunRemedy;

/** The key that names the base model. */
export const MODEL_KEY: ConfigPath = ['model', 'base_model_name_or_path'];

/** The key that names the data. */
export const DATA_KEY: ConfigPath = ['data', 'dataset_name_or_path'];

/** The key that gives a chat template in the place of the model's own. */
export const TEMPLATE_KEY: ConfigPath = ['data', 'chat_template'];

/** The key that names the adapter to go on from. */
export const ADAPTER_KEY: ConfigPath = ['lora', 'init_adapter'];

/** A finding under the value at `path`. */
export function finding(
  severity: Severity,
  path: ConfigPath,
  code: FindingCode,
  message: string,
  remedies: readonly FindingRemedy[] = [],
): Finding {
  return { severity, path, part: 'value', code, message, remedies };
}

/**
 * What refuses a run, as a finding.
 *
 * @throws anything but a LorafaError, as it is
 */
export function findingOf(
  error: unknown,
  path: ConfigPath,
  remedies: readonly Remedy[] = [],
): Finding {
  if (!(error instanceof LorafaError)) throw error;
  return finding('error', path, error.code, error.message.replace(/\.$/, ''), remedies);
}
