import { LOSS_CHUNK } from '../architectures/cross-entropy.ts';
import type { Recompute } from '../architectures/decoder-graph.ts';
import type { Batch } from '../data/batches.ts';
import { CPU } from '../runtime/device.ts';
import { releaseMade, Session, type SessionOptions } from '../runtime/session.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import type { StepSpec } from './step-spec.ts';
import {
  BATCH_INPUTS,
  gradientSumName,
  MAX_CAPTURED_SESSIONS,
  MAX_SESSIONS,
  type TrainingShape,
  trainingGraph,
} from './training-graph.ts';

export interface BatchRunnerOptions extends StepSpec {
  /** What is computed again for the gradients; nothing unless given. */
  readonly recompute?: Recompute;
  /** Trained tensors and frozen A matrices, by input name; read at every run. */
  readonly tensors: ReadonlyMap<string, StateTensor>;
  readonly session: SessionOptions;
}

/**
 * Computes losses and gradients of batches. Shapes are static in a graph, so that there is one
 * session for each batch shape; all sessions of the process share the mapped weights.
 */
export class BatchRunner {
  readonly #options: BatchRunnerOptions;
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(options: BatchRunnerOptions) {
    this.#options = options;
  }

  /**
   * The sum of the batch's token losses, each times its weight and `scale`; adds its gradients to
   * `gradients`, which holds a tensor for each trainable one.
   *
   * @param dropoutSeed another one for every batch of a run, from 0 to 2³¹
   */
  async run(
    batch: Batch,
    scale: number,
    dropoutSeed: number,
    gradients: ReadonlyMap<string, StateTensor>,
  ): Promise<number> {
    const { lossTokens, feeds: ofBatch } = batchFeeds(batch, scale, dropoutSeed);
    const sums = Object.fromEntries(gradients);
    const feeds = {
      ...Object.fromEntries(this.#options.tensors),
      ...Object.fromEntries([...gradients].map(([name, sum]) => [gradientSumName(name), sum])),
      ...ofBatch,
    };
    const session = await this.#session(batch, lossTokens, async (session) => {
      // Where no token has a weight, all gradients are zero.
      const nothing = new Float32Array(lossTokens);
      await session.capture({ ...feeds, [BATCH_INPUTS.lossWeights]: nothing }, sums);
    });
    const results = await session.run(feeds, sums);
    return Number(results['loss']!.data[0]);
  }

  async release(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await releaseMade(sessions);
  }

  /** @param prepare what a session does first that is new */
  async #session(
    batch: Batch,
    lossTokens: number,
    prepare: (session: Session) => Promise<void>,
  ): Promise<Session> {
    const { batchSize: rows, sequenceLength: length } = batch;
    const key = `${rows}x${length}, ${lossTokens}`;
    const session = this.#sessions.get(key) ?? this.#create({ rows, length, lossTokens }, prepare);
    // A map keeps the order of insertion: the first session is the one that was used longest ago.
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    // One that could not be made is nothing to release.
    session.catch(() => this.#sessions.delete(key));
    const [oldest] = this.#sessions;
    const isCaptured = this.#options.session.device?.kind === 'cuda';
    const most = isCaptured ? MAX_CAPTURED_SESSIONS : MAX_SESSIONS;
    if (oldest !== undefined && this.#sessions.size > most) {
      this.#sessions.delete(oldest[0]);
      await releaseMade([oldest[1]]);
    }
    return session;
  }

  async #create(
    shape: TrainingShape,
    prepare: (session: Session) => Promise<void>,
  ): Promise<Session> {
    const recompute = this.#options.recompute ?? 'none';
    const { session: settings } = this.#options;
    const { device = CPU } = settings;
    const graph = trainingGraph({ ...this.#options, recompute, shape, device });
    const session = await Session.create(graph, { captures: true, ...settings });
    try {
      await prepare(session);
    } catch (error) {
      await session.release();
      throw error;
    }
    return session;
  }
}

/** What a batch is to the inputs of its graph, and how many of its tokens have a loss there. */
export function batchFeeds(batch: Batch, scale: number, dropoutSeed: number) {
  const loss = supervisedTokens(batch, scale);
  const feeds = {
    [BATCH_INPUTS.tokenIds]: batch.inputIds,
    [BATCH_INPUTS.positions]: batch.positions,
    [BATCH_INPUTS.lossRows]: loss.rows,
    [BATCH_INPUTS.targets]: loss.targets,
    [BATCH_INPUTS.lossWeights]: loss.weights,
    [BATCH_INPUTS.dropoutSeed]: BigInt64Array.of(BigInt(dropoutSeed)),
  };
  return { lossTokens: loss.rows.length, feeds };
}

/**
 * The supervised tokens of a batch, filled up with tokens that count nothing to whole chunks of the
 * loss and, so that few shapes occur, to a quarter of the batch.
 */
function supervisedTokens({ weights, targets, numSupervisedTokens }: Batch, scale: number) {
  const quarter = Math.ceil(weights.length / 4 / LOSS_CHUNK) * LOSS_CHUNK;
  const size = Math.max(1, Math.ceil(numSupervisedTokens / quarter)) * quarter;
  const tokens = {
    rows: new BigInt64Array(size),
    targets: new BigInt64Array(size),
    weights: new Float32Array(size),
  };
  let count = 0;
  weights.forEach((weight, position) => {
    if (weight === 0) return;
    tokens.rows[count] = BigInt(position);
    tokens.targets[count] = targets[position]!;
    tokens.weights[count] = weight * scale;
    count++;
  });
  return tokens;
}
