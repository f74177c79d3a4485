import { z } from 'zod';

/** What an input is used for. */
export type InputUse = 'model' | 'adapter' | 'training' | 'evaluation';

/** What a name on the Hub stood for when a run began, so that the run goes on with the same files. */
export const hubSourceSchema = z.object({
  /** As the configuration has it, without rows. */
  name: z.string(),
  use: z.enum(['model', 'adapter', 'training', 'evaluation']),
  /** The branch or tag that was asked for, or a commit. */
  revision: z.string(),
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  /** The files of it that the run reads, with `/` between the parts of their names. */
  files: z.array(z.string()),
});

/** See {@link hubSourceSchema}. */
export type HubSource = Readonly<z.infer<typeof hubSourceSchema>>;
