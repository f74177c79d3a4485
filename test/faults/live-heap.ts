import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type MarkedProcess, markedProcesses } from '../support/marked-processes.ts';
import type { LongRunLook } from './long-run.ts';
import { isOfKind, type ProcessKind } from './process-kinds.ts';
import type { TinyBench } from './tiny-runs.ts';

/** A process writes down its heap when it gets this signal. */
const SIGNAL = 'SIGUSR2';

/** How long that may take. */
const PATIENCE_MS = 60_000;

/** Types of nodes that belong to compiled code. */
const CODE: ReadonlySet<string> = new Set(['code', 'hidden', 'object shape']);

/** The parts of V8's format that are read here. */
interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
    };
  };
  /** As many numbers for each node as there are `node_fields`. */
  readonly nodes: readonly number[];
}

/** Bytes of the objects that are alive in each process. */
export type LiveHeaps = Readonly<Partial<Record<ProcessKind, number>>>;

/**
 * Looks at the sizes of what is alive in the JavaScript heaps of some processes, after one fifth and
 * after four fifths of a long run. A heap snapshot has all garbage collected first.
 */
export class LiveHeapWatch {
  readonly look: LongRunLook;
  readonly heaps: LiveHeaps[] = [];
  readonly #folder: string;

  /** @param kinds processes, of which there is one each */
  constructor(bench: TinyBench, steps: number, kinds: readonly ProcessKind[]) {
    this.#folder = path.join(bench.folder, 'snapshots');
    this.look = {
      env: {
        NODE_OPTIONS: `--heapsnapshot-signal=${SIGNAL} --diagnostic-dir=${this.#folder}`,
      },
      looks: 100,
      onLook: async (step) => {
        const isDue = step >= steps * (this.heaps.length === 0 ? 0.2 : 0.8);
        if (isDue && this.heaps.length < 2) this.heaps.push(await this.#measure(bench, kinds));
      },
    };
  }

  async #measure({ folder }: TinyBench, kinds: readonly ProcessKind[]): Promise<LiveHeaps> {
    await mkdir(this.#folder, { recursive: true });
    const processes = await markedProcesses(folder);
    const heaps: Partial<Record<ProcessKind, number>> = {};
    for (const kind of kinds) {
      const found = processes.find((one) => isOfKind(one, kind));
      if (found !== undefined) heaps[kind] = await liveHeap(found, this.#folder);
    }
    return heaps;
  }
}

async function liveHeap({ pid }: MarkedProcess, folder: string): Promise<number> {
  const names = async (): Promise<readonly string[]> =>
    (await readdir(folder)).filter((name) => name.split('.').includes(String(pid)));
  const before = await names();
  process.kill(pid, SIGNAL);
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await delay(200)) {
    const name = (await names()).find((one) => !before.includes(one));
    const size = name && sizeIn(await readFile(path.join(folder, name), 'utf8'));
    if (typeof size === 'number') return size;
  }
  throw new Error(`process ${pid} writes no heap snapshot`);
}

/**
 * The sum of the sizes of all objects, without code: what runs often is compiled again and again.
 *
 * @returns undefined while the snapshot is not written whole yet
 */
function sizeIn(text: string): number | undefined {
  let snapshot: HeapSnapshot;
  try {
    snapshot = JSON.parse(text) as HeapSnapshot;
  } catch {
    return undefined;
  }
  const { nodes } = snapshot;
  const { node_fields: fields, node_types: types } = snapshot.snapshot.meta;
  const [type, size] = [fields.indexOf('type'), fields.indexOf('self_size')];
  let sum = 0;
  for (let at = 0; at < nodes.length; at += fields.length) {
    if (!CODE.has(types[0][nodes[at + type]!]!)) sum += nodes[at + size]!;
  }
  return sum;
}
