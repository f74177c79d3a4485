import { existsSync, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { processMemory, processPss } from '../bench/process-memory.ts';
import { markedProcesses } from '../support/marked-processes.ts';
import type { LongRunLook } from './long-run.ts';
import { isOfKind, type ProcessKind } from './process-kinds.ts';
import type { TinyBench } from './tiny-runs.ts';

/** Processes that live as long as a run and its window, whose growth is watched. */
export const WATCHED: readonly ProcessKind[] = ['computing', 'trainer', 'server', 'generator'];

/** How often processes are looked at in all; never at the same place between two checkpoints. */
const LOOKS = 97;

/**
 * The peak of memory may be so much higher at the end: 5 %, and what V8 lets lie about before it
 * first collects what has lived for a while. Whether what lives grows is asked by `live-heap.ts`.
 */
const MEMORY_SHARE = 0.05;
const GARBAGE_MB = 8;

/** What one thing was in two parts of a run, and whether it is flat. */
export interface Growth {
  /** E.g. `server: handles`. */
  readonly name: string;
  /** From the second to the fifth tenth of the steps: what is made once has been made by then. */
  readonly early: number;
  /** In the last tenth of the steps. */
  readonly late: number;
  readonly isFlat: boolean;
}

/** What is counted, and when it is called flat. */
interface Measure {
  readonly unit: string;
  /** What stands for a part of a run. */
  readonly of: (values: readonly number[]) => number;
  readonly isFlat: (early: number, late: number) => boolean;
}

/** While a checkpoint is saved there are more files for a moment; what is left behind stays. */
const FILES: Measure = {
  unit: '',
  of: (values) => Math.min(...values),
  isFlat: (early, late) => late <= early,
};

/** On a busy machine journal and log are being read at nearly every look, or at nearly none. */
const HANDLES: Measure = {
  unit: '',
  of: (values) => Math.min(...values),
  isFlat: (early, late) => late <= early + 2,
};

/** Memory goes up for minutes until its garbage is collected: what counts is the peak. */
const MEMORY: Measure = {
  unit: ' MB',
  of: (values) => Math.max(...values),
  isFlat: (early, late) => late <= early * (1 + MEMORY_SHARE) + GARBAGE_MB,
};

interface Look {
  readonly step: number;
  readonly value: number;
}

/** Looks again and again at processes and folders while a run goes on. */
export class GrowthWatch {
  readonly #bench: TinyBench;
  readonly #foreign = new Set<number>();
  /** By what was measured: at which step, and what it was. */
  readonly #looks = new Map<string, Look[]>();

  /** Measures everything again and again; see `longRun`. */
  readonly look: LongRunLook = {
    env: {},
    looks: LOOKS,
    onLook: (step) => this.#measure(step),
  };

  constructor(bench: TinyBench) {
    this.#bench = bench;
  }

  /** What became of everything that was measured until now. @param steps of the whole run */
  growth(steps: number): readonly Growth[] {
    const part = (name: string, from: number, to: number): readonly number[] => {
      const isInside = ({ step }: Look): boolean => step >= steps * from && step < steps * to;
      const looks = this.#looks.get(name)!.filter(isInside);
      if (looks.length === 0) throw new Error(`${name} was not seen in a part of the run`);
      return looks.map(({ value }) => value);
    };
    return [...this.#looks.keys()].toSorted().map((name) => {
      const measure = measureOf(name);
      const early = measure.of(part(name, 0.1, 0.5));
      const late = measure.of(part(name, 0.9, 1));
      return { name, early, late, isFlat: measure.isFlat(early, late) };
    });
  }

  async #measure(step: number): Promise<void> {
    const { folder, workspace, cache, temporary, registry } = this.#bench;
    for (const one of await markedProcesses(folder, this.#foreign)) {
      const kind = WATCHED.find((watched) => isOfKind(one, watched));
      if (kind === undefined) continue;
      this.#add(`${kind}: memory`, step, megabytes(processPss(one.pid)));
      this.#add(`${kind}: memory of its own`, step, megabytes(processMemory(one.pid).anonymous));
      this.#add(`${kind}: handles`, step, handles(one.pid));
    }
    for (const [name, place] of Object.entries({ workspace, cache, temporary, registry })) {
      // What is removed while one looks, such as an old checkpoint, ends the look.
      const names = await readdir(place, { recursive: true }).catch(() =>
        existsSync(place) ? undefined : [],
      );
      this.#add(`${name}: files`, step, names?.length);
    }
  }

  #add(name: string, step: number, value: number | undefined): void {
    // It has just ended, or could not be looked at.
    if (value === undefined) return;
    const looks = this.#looks.get(name) ?? [];
    looks.push({ step, value });
    this.#looks.set(name, looks);
  }
}

/** For people. */
export function describeGrowth({ name, early, late, isFlat }: Growth): string {
  const { unit } = measureOf(name);
  const [from, to] = [early, late].map((value) => `${Number(value.toFixed(1))}${unit}`);
  return `${name.padEnd(32)} ${from} → ${to}${isFlat ? '' : '   GROWS'}`;
}

function measureOf(name: string): Measure {
  if (name.includes('memory')) return MEMORY;
  return name.endsWith('files') ? FILES : HANDLES;
}

function megabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1e6;
}

function handles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}
