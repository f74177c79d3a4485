import koffi from 'koffi';

/** What a process did with its device so far. */
export interface Counters {
  /** Bytes that are taken on the device, now and at most. */
  readonly inUse: number;
  readonly peak: number;
  /** Bytes that went to the device and came from it, and in how many copies. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly copiesUp: number;
  readonly copiesDown: number;
  /** Bytes that were copied within the device. */
  readonly bytesWithin: number;
  /** Kernels that were launched one by one, and graphs that were replayed. */
  readonly launches: number;
  readonly graphLaunches: number;
  /** Kernels and copies of all replays. */
  readonly graphNodes: number;
  readonly copiesWithin: number;
}

/** As `struct counters` of cudart.c has them. */
const ORDER = [
  'inUse',
  'peak',
  'bytesUp',
  'bytesDown',
  'copiesUp',
  'copiesDown',
  'bytesWithin',
  'launches',
  'graphLaunches',
  'graphNodes',
  'copiesWithin',
] as const satisfies readonly (keyof Counters)[];

/** The counters of this process, which has to run on the stand-in. */
export function deviceCounters(library: string): {
  readonly read: () => Counters;
  readonly resetPeak: () => void;
} {
  const stand_in = koffi.load(library);
  const tell = stand_in.func('fakeCudaCounters', 'void', ['void *']);
  const resetPeak = stand_in.func('fakeCudaResetPeak', 'void', []);
  return {
    read: () => {
      const values = new BigUint64Array(ORDER.length);
      tell(values);
      return Object.fromEntries(
        ORDER.map((name, i) => [name, Number(values[i])]),
      ) as unknown as Counters;
    },
    resetPeak: () => void resetPeak(),
  };
}

/** The part of the operations of all products of this process so far that tensor cores would have done. */
export function shareOnTensorCores(library: string): number {
  const tell = koffi.load(library).func('fakeCublasOperations', 'void', ['void *']);
  const counted = new BigUint64Array(2);
  tell(counted);
  const [plain, onTensorCores] = [...counted].map(Number) as [number, number];
  return onTensorCores / (plain + onTensorCores);
}
