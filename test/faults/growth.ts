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

/** What one thing was in two parts of a run (the median), and whether it is flat. */
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
  readonly isFlat: (early: number, late: number) => boolean;
}

/** Handles and files come and go, while something is saved: what counts is how many there mostly are. */
const COUNT: Measure = {
  unit: '',
  isFlat: (early, late) => late <= early,
};

/** Memory goes up and down with garbage collection: its median may differ a little. */
const MEMORY: Measure = {
  unit: ' MB',
  isFlat: (early, late) => late <= early * (1 + MEMORY_TOLERANCE),
};

/** Looks again and again at processes and folders while a run goes on. */
export class GrowthWatch {
  readonly #mark: string;
  readonly #folders: Readonly<Record<string, string>>;
  readonly #foreign = new Set<number>();
  /** By what was measured: at which step, and what it was. */
  readonly #looks = new Map<string, { readonly step: number; readonly value: number }[]>();

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
    const tenth = (name: string, first: number): readonly number[] =>
      this.#looks
        .get(name)!
        .filter(({ step }) => step >= steps * first && step < steps * (first + 0.1))
        .map(({ value }) => value);
    return [...this.#looks.keys()].toSorted().map((name) => {
      const [early, late] = [0.1, 0.9].map((first) => spread(tenth(name, first)).median);
      return { name, early: early!, late: late!, isFlat: measureOf(name).isFlat(early!, late!) };
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
  return name.includes('memory') ? MEMORY : COUNT;
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
