import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { processMemory, processPss } from '../bench/process-memory.ts';
import { spread } from '../bench/statistics.ts';
import { markedProcesses } from '../support/marked-processes.ts';
import { isOfKind, type ProcessKind } from './process-kinds.ts';

/** Processes whose growth is watched. */
const WATCHED: readonly ProcessKind[] = ['computing', 'trainer', 'server', 'generator'];

/** Memory may be so much more in the last tenth of a run than it was in the second. */
const MEMORY_TOLERANCE = 0.05;

/** What one thing was in two parts of a run, and whether it is flat. */
export interface Growth {
  /** E.g. `server: handles`. */
  readonly name: string;
  /** In the second tenth of the steps: what is made once has been made by then. */
  readonly early: number;
  /** In the last tenth of the steps. */
  readonly late: number;
  readonly isFlat: boolean;
}

/** What is counted, and when it is called flat. */
interface Measure {
  readonly unit: string;
  /** What stands for a tenth of a run. */
  readonly of: (values: readonly number[]) => number;
  readonly isFlat: (early: number, late: number) => boolean;
}

/** A handle comes and goes with what is read and written; one that stays raises the lowest count. */
const HANDLES: Measure = {
  unit: '',
  of: (values) => Math.min(...values),
  isFlat: (early, late) => late <= early,
};

/** While a checkpoint is saved or removed, there are more files for a moment, or fewer. */
const FILES: Measure = { ...HANDLES, of: median };

/** Memory goes up and down with garbage collection: its median may differ a little. */
const MEMORY: Measure = {
  unit: ' MB',
  of: median,
  isFlat: (early, late) => late <= early * (1 + MEMORY_TOLERANCE),
};

interface Look {
  readonly step: number;
  readonly value: number;
}

/** Looks again and again at processes and folders while a run goes on. */
export class GrowthWatch {
  readonly #mark: string;
  readonly #folders: Readonly<Record<string, string>>;
  readonly #foreign = new Set<number>();
  /** By what was measured: at which step, and what it was. */
  readonly #looks = new Map<string, Look[]>();

  /**
   * @param mark the folder that marks the processes
   * @param folders whose files are counted, by name
   */
  constructor(mark: string, folders: Readonly<Record<string, string>>) {
    this.#mark = mark;
    this.#folders = folders;
  }

  /** Measures everything. @param step how far the run is */
  async look(step: number): Promise<void> {
    for (const one of await markedProcesses(this.#mark, this.#foreign)) {
      const kind = WATCHED.find((watched) => isOfKind(one, watched));
      if (kind === undefined) continue;
      this.#add(`${kind}: memory`, step, megabytes(processPss(one.pid)));
      this.#add(`${kind}: memory of its own`, step, megabytes(processMemory(one.pid).anonymous));
      this.#add(`${kind}: handles`, step, handles(one.pid));
    }
    for (const [name, folder] of Object.entries(this.#folders)) {
      const names = await readdir(folder, { recursive: true }).catch(() => []);
      this.#add(`${name}: files`, step, names.length);
    }
  }

  /** What became of everything that was measured until now. @param steps of the whole run */
  growth(steps: number): readonly Growth[] {
    const tenth = (name: string, first: number): readonly number[] => {
      const isInside = ({ step }: Look): boolean =>
        step >= steps * first && step < steps * (first + 0.1);
      const looks = this.#looks.get(name)!.filter(isInside);
      if (looks.length === 0) throw new Error(`${name} was not seen in a tenth of the run`);
      return looks.map(({ value }) => value);
    };
    return [...this.#looks.keys()].toSorted().map((name) => {
      const measure = measureOf(name);
      const [early, late] = [measure.of(tenth(name, 0.1)), measure.of(tenth(name, 0.9))];
      return { name, early, late, isFlat: measure.isFlat(early, late) };
    });
  }

  #add(name: string, step: number, value: number | undefined): void {
    // It has just ended.
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

function median(values: readonly number[]): number {
  return spread(values).median;
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
