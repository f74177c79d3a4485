import * as z from 'zod/mini';

const gpu = z.object({
  name: z.string(),
  memoryBytes: z.nullable(z.number()),
  freeBytes: z.nullable(z.number()),
  driver: z.string(),
});

const device = z.object({
  device: z.string(),
  usable: z.boolean(),
  problem: z.optional(z.string()),
  passedOver: z.optional(z.string()),
  detail: z.optional(z.string()),
  gpu: z.optional(gpu),
});

/** What the server finds out about the machine, as far as it is shown. */
export const machineReportSchema = z.object({
  node: z.string(),
  os: z.string(),
  cpu: z.object({
    model: z.string(),
    logicalCores: z.number(),
    features: z.nullable(z.array(z.string())),
  }),
  memory: z.object({ totalBytes: z.number(), freeBytes: z.number() }),
  disk: z.object({ folder: z.string(), freeBytes: z.number() }),
  onnxruntime: z.union([
    z.object({
      version: z.string(),
      devices: z.array(device),
      /** The modes of `engine.compute` of that name. */
      bfloat16: z.object({ usable: z.boolean(), problem: z.optional(z.string()) }),
    }),
    /** Why it cannot be loaded. */
    z.object({ problem: z.string() }),
  ]),
});

/** A GPU as its driver names it. */
export type MachineGpu = Readonly<z.infer<typeof gpu>>;

/** See {@link machineReportSchema}. */
export type MachineReport = Readonly<z.infer<typeof machineReportSchema>>;
