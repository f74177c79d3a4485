import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SIZED } from '../sized.ts';

/**
 * The sessions of a run that led to a point of it, the first one first. A run that is resumed from
 * an early checkpoint leaves its later ones behind on a branch of their own: they are not where the
 * run stands, whatever their steps are.
 */
export const lineageSchema = z
  .array(
    z.object({
      /** Tells it from every other one, whatever folders are copied or moved. */
      session: z.string().min(1, SIZED),
      /** The step that the session began at: that of the checkpoint it resumed, or 0. */
      from: z.int().nonnegative(),
    }),
  )
  .min(1, SIZED)
  .readonly();

/** See {@link lineageSchema}. */
export type Lineage = z.infer<typeof lineageSchema>;

/** A point of a run. */
export interface LineagePoint {
  readonly lineage: Lineage;
  readonly global_step: number;
}

/** The lineage of a session that begins at a point of a run, or at its start. */
export function nextLineage(from?: LineagePoint): Lineage {
  const session = randomBytes(8).toString('hex');
  return [...(from?.lineage ?? []), { session, from: from?.global_step ?? 0 }];
}

/** Whether a point lies on the way that a lineage went, and not on a branch that was left. */
export function isOnLineage({ lineage, global_step: step }: LineagePoint, way: Lineage): boolean {
  const own = lineage.at(-1)!;
  const index = way.findIndex(({ session }) => session === own.session);
  const next = way[index + 1];
  return index >= 0 && (next === undefined || step <= next.from);
}
