import type {
  CompletedEvent,
  SessionFacts,
  StartedEvent,
  StepEvent,
} from '../../engine/train/events.ts';

const split = { rows: 8, tokens: 64, supervisedTokens: 32, truncatedRows: 0, droppedRows: 0 };
const layout = { rows: 8, paddingWaste: 0.1 };

/** A complete event of a session that begins. */
export function startedEvent(change: Partial<SessionFacts> = {}): StartedEvent {
  const run: SessionFacts = {
    steps: 9,
    resumedAt: 0,
    stepsPerEpoch: 3,
    trainableParameters: 100,
    totalParameters: 1000,
    device: 'cpu',
    gradientCheckpointing: 'none',
    padding: { packing: false, unpacked: layout, packed: layout },
    compute: 'float32',
    dataset: { train: split },
  };
  return { type: 'started', run: { ...run, ...change } };
}

/** A complete event of a step. */
export function stepEvent(change: Partial<StepEvent> = {}): StepEvent {
  return {
    type: 'step',
    step: 3,
    maxSteps: 9,
    epoch: 1,
    loss: 0.5,
    grad_norm: 1,
    learning_rate: 1e-4,
    num_tokens: 64,
    tokens_per_second: 100,
    ...change,
  };
}

/** The event of a run that is over after nine steps. */
export function completedEvent(): CompletedEvent {
  return {
    type: 'completed',
    adapter_dir: '/run',
    steps: 9,
    train_loss: 1,
    train_runtime: 2,
  };
}
