import * as z from 'zod/mini';

const reportSchema = z.object({
  onnxruntime: z.object({
    devices: z.array(
      z.object({
        device: z.string(),
        usable: z.boolean(),
        problem: z.optional(z.string()),
        gpu: z.optional(z.object({ name: z.string(), memoryBytes: z.nullable(z.number()) })),
      }),
    ),
  }),
});

/** A device that runs might use, by the name that `engine.device` takes. */
export type MachineDevice = Readonly<
  z.infer<typeof reportSchema>['onnxruntime']['devices'][number]
>;

/** The devices that the machine report (`examineMachine`) tells of; none without ONNX Runtime. */
export function machineDevices(
  report: Readonly<Record<string, unknown>>,
): readonly MachineDevice[] {
  const known = reportSchema.safeParse(report);
  return known.success ? known.data.onnxruntime.devices : [];
}
