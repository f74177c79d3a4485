/**
 * The number of a CUDA device, which its GPU has as well: 1 of `cuda:1`. Undefined for others; runs on Accelerate do not
 * tell which GPUs they have.
 */
export function gpuIndex(device: string): number | undefined {
  const index = /^cuda:(\d+)$/.exec(device)?.[1];
  return index === undefined ? undefined : Number(index);
}
