import type { CudaPlan } from '../../engine/cuda/plan-cuda.ts';
import { formatBytes } from '../format.ts';

/** What setting up CUDA will do, as it is shown and sent. */
export interface ShownCudaPlan {
  /** The folder from which ONNX Runtime will be opened. */
  readonly folder: string;
  readonly isReady: boolean;
  readonly found: readonly { readonly library: string; readonly file: string }[];
  readonly wheels: readonly {
    readonly name: string;
    readonly version: string;
    readonly bytes: number;
    readonly isHere: boolean;
  }[];
  /** Bytes that have to come. */
  readonly downloadBytes: number;
  /** Bytes that they take on disk afterwards. */
  readonly diskBytes: number;
  readonly notes: readonly string[];
  /** Why no GPU will compute whatever is set up; null where nothing is known against it. */
  readonly driverProblem: string | null;
}

/** See {@link ShownCudaPlan}. */
export function shownPlan(plan: CudaPlan): ShownCudaPlan {
  const { folder, isReady, found, wheels, notes, driverProblem = null } = plan;
  const missing = wheels.filter(({ isHere }) => !isHere);
  return {
    ...{ folder, isReady, notes, driverProblem },
    found: found.map(({ library, file }) => ({ library, file })),
    wheels: wheels.map(({ name, version, bytes, isHere }) => ({ name, version, bytes, isHere })),
    downloadBytes: missing.reduce((sum, { bytes }) => sum + bytes, 0),
    diskBytes: missing.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0),
  };
}

/** The same as lines for people. */
export function renderCudaPlan(plan: ShownCudaPlan): string {
  const { folder, isReady, found, wheels, downloadBytes, diskBytes, notes, driverProblem } = plan;
  const sizes =
    downloadBytes === 0
      ? 'Nothing has to be fetched.'
      : `${formatBytes(downloadBytes)} have to be fetched, which take ${formatBytes(diskBytes)} on disk.`;
  return [
    isReady ? `CUDA's libraries are in ${folder}.` : `CUDA's libraries will be in ${folder}:`,
    ...found.map(({ library, file }) => `  ${library}: found, ${file}`),
    ...wheels.map(({ name, version, bytes, isHere }) => {
      return `  ${name} ${version}: ${isHere ? 'fetched before' : formatBytes(bytes)}`;
    }),
    ...(isReady ? [] : [sizes]),
    ...notes,
    ...(driverProblem === null ? [] : [driverProblem]),
  ].join('\n');
}
