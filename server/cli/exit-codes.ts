import type { ErrorCode } from '../../engine/errors.ts';

/** What an exit code of `lorafa` tells a script. */
export interface ExitCode {
  readonly code: number;
  readonly meaning: string;
  /** The error codes that lead to it, or their prefixes before the dot. */
  readonly errors: readonly string[];
}

/** Every exit code of the command line; the first row that names an error decides. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: 0, meaning: 'success', errors: [] },
  { code: 1, meaning: 'a mistake in lorafa itself', errors: ['internal', 'export.wrong_values'] },
  { code: 2, meaning: 'the command line or the configuration', errors: ['usage', 'config'] },
  { code: 3, meaning: 'the model or the adapter', errors: ['model', 'adapter'] },
  { code: 4, meaning: 'the data', errors: ['data'] },
  { code: 5, meaning: 'the device, or the Python that computes', errors: ['device', 'python'] },
  { code: 6, meaning: 'the output folder or a checkpoint', errors: ['output', 'checkpoint'] },
  {
    code: 130,
    meaning: 'interrupted (training has saved a checkpoint)',
    errors: ['training.cancelled', 'export.cancelled', 'hub.cancelled', 'device.setup_cancelled'],
  },
  { code: 8, meaning: 'the Hugging Face Hub, or the way to it', errors: ['hub'] },
  {
    code: 7,
    meaning: 'the training itself, such as a loss that is not finite',
    errors: ['training'],
  },
];

/** Exit code after an interrupt (128 + SIGINT). */
export const INTERRUPTED = 130;

/** The exit code that an error leads to. */
export function exitCodeOf(error: ErrorCode): number {
  const prefix = error.slice(0, error.indexOf('.'));
  const row = EXIT_CODES.find(({ errors }) => errors.includes(error) || errors.includes(prefix));
  return row?.code ?? 1;
}

/** The table of exit codes for `lorafa --help`. */
export function describeExitCodes(): string {
  const rows = EXIT_CODES.toSorted((a, b) => a.code - b.code).map(
    ({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`,
  );
  return ['Exit codes:', ...rows].join('\n');
}
