import { setTimeout as delay } from 'node:timers/promises';
import { type MarkedProcess, markedProcesses } from '../support/marked-processes.ts';
import { isOfKind } from './process-kinds.ts';

/** Every kind of process that a run is done with. */
export const VICTIMS = ['command line', 'starter', 'trainer', 'computing', 'server'] as const;

/** One of the {@link VICTIMS}. */
export type Victim = (typeof VICTIMS)[number];

/** How often processes are looked for. */
const LOOK_MS = 3;

/**
 * How long processes live changes with what else the machine does: it is thought to be a little more
 * after each hit, and less where the process had ended before. So about three of four are hit, and
 * the moments reach beyond the ends of lives.
 */
const [LONGER, SHORTER] = [1.03, 0.9];

/** Finds the processes of a bench, and ends one of them at some moment of its life. */
export class Killer {
  readonly #mark: string;
  readonly #foreign = new Set<number>();
  /** How long a process of each kind was seen to live at most, in milliseconds. */
  readonly #lives = new Map<Victim, number>();

  /** @param mark the folder that marks the processes */
  constructor(mark: string) {
    this.#mark = mark;
  }

  /** Learns, from work that nobody disturbs, how long processes live. */
  async watch(work: Promise<unknown>): Promise<void> {
    const firstSeen = new Map<number, number>();
    const end = ended(work);
    while (!end.is) {
      for (const one of await this.#processes()) {
        const since = firstSeen.get(one.pid) ?? performance.now();
        firstSeen.set(one.pid, since);
        for (const victim of VICTIMS.filter((kind) => isOfKind(one, kind))) {
          const life = performance.now() - since;
          this.#lives.set(victim, Math.max(life, this.#lives.get(victim) ?? 0));
        }
      }
      await delay(LOOK_MS);
    }
    await work;
  }

  /**
   * Kills a process of a kind, when it has lived for a share of the life of its kind.
   *
   * @param share 0 to 1
   * @param work who waits for what the process does
   * @returns whether it was there to be killed before the work ended
   */
  async kill(victim: Victim, share: number, work: Promise<unknown>): Promise<boolean> {
    const end = ended(work);
    // Ids are used again: what was foreign may be one of ours by now.
    this.#foreign.clear();
    const pid = await this.#appeared(victim, end);
    if (pid === undefined) return false;
    const life = this.#lives.get(victim) ?? 0;
    await Promise.race([delay(share * life), end.promise]);
    // It must be the same process that is ended.
    const isHit = !end.is && (await this.#find(victim)).includes(pid) && hasKilled(pid);
    this.#lives.set(victim, life * (isHit ? LONGER : SHORTER));
    return isHit;
  }

  async #appeared(victim: Victim, end: { readonly is: boolean }): Promise<number | undefined> {
    while (!end.is) {
      const [pid] = await this.#find(victim);
      if (pid !== undefined) return pid;
      await delay(LOOK_MS);
    }
    return undefined;
  }

  async #find(victim: Victim): Promise<readonly number[]> {
    const found = (await this.#processes()).filter((one) => isOfKind(one, victim));
    const ids = found.map(({ pid }) => pid);
    // One that is just being started still has the command line of the one who starts it.
    return found.filter(({ parent }) => !ids.includes(parent)).map(({ pid }) => pid);
  }

  #processes(): Promise<readonly MarkedProcess[]> {
    return markedProcesses(this.#mark, this.#foreign);
  }
}

function hasKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
    return false;
  }
}

/** Whether a promise was settled, to be asked at any time. */
function ended(work: Promise<unknown>): { readonly is: boolean; readonly promise: Promise<void> } {
  const state = { is: false };
  const settle = (): void => {
    state.is = true;
  };
  return {
    get is() {
      return state.is;
    },
    promise: work.then(settle, settle),
  };
}
