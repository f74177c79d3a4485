import * as z from 'zod/mini';
import type { ConfigPath } from '../../engine/config/config-error.ts';
import type { Setting } from '../../engine/config/path-problem.ts';

/** What comes after the changes of a {@link RunRemedy}. */
export const RUN_STEPS = ['start', 'resume', 'replace'] as const;

/** A way to go on where a run is in the way: changes to the configuration, and then the run. */
export interface RunRemedy {
  readonly kind: 'run';
  readonly title: string;
  /** A sentence about what becomes of the run that is there. */
  readonly detail: string;
  readonly values: readonly Setting[];
  readonly removes: readonly ConfigPath[];
  readonly step: (typeof RUN_STEPS)[number];
  /** The folder of the run that is there. */
  readonly folder: string;
}

const path = z.array(z.union([z.string(), z.number()]));

/** Schema of {@link RunRemedy}. */
export const runRemedySchema: z.ZodMiniType<RunRemedy> = z.object({
  kind: z.literal('run'),
  title: z.string(),
  detail: z.string(),
  values: z.array(z.object({ path, value: z.unknown() })),
  removes: z.array(path),
  step: z.enum(RUN_STEPS),
  folder: z.string(),
});
