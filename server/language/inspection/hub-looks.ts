import { LorafaError } from '../../../engine/errors.ts';
import { parseHubName } from '../../../engine/hub/hub-name.ts';
import { cachedInput } from '../../../engine/inputs/hub-inputs.ts';
import { lookAtData } from '../../../engine/inputs/look-at-data.ts';
import { lookAtModel } from '../../../engine/inputs/look-at-model.ts';
import { STARTER_MODELS, starterStructure } from '../../../engine/models/starter-models.ts';
import { type TrainingMemory, trainingMemory } from '../../../engine/plan/training-memory.ts';
import type { DataSample } from '../../protocol/data.ts';
import type { ModelOutlook } from '../../protocol/hub.ts';
import { dataSample } from './data-sample.ts';
import { KnownData, SAMPLE_ROWS } from './known-data.ts';

/** What it would be to train a model, by a path or a name on the Hub. */
export async function modelOutlook(name: string): Promise<ModelOutlook> {
  const { model, download } = await lookAtModel(name);
  return { download, memory: await trainingMemory(model) };
}

/** What training a model takes that is proposed to begin with, by what is known of it. */
export function starterMemory(name: string): Promise<TrainingMemory> {
  const starter = STARTER_MODELS.find((each) => each.name === name);
  if (starter !== undefined) return trainingMemory(starterStructure(starter));
  throw new LorafaError('config.invalid_value', `"${name}" is no model to begin with.`);
}

/** The columns and first rows of data on the Hub; of those that are here already nobody is asked. */
export async function hubSample(name: string): Promise<DataSample> {
  const hub = parseHubName(name);
  if (hub === undefined) {
    throw new LorafaError('config.invalid_value', `"${name}" is no name on the Hugging Face Hub.`);
  }
  const [first, ...others] = (await cachedInput(name, 'training')) ?? [];
  const isHere = first !== undefined && others.length === 0;
  return dataSample(
    name,
    isHere ? await new KnownData().beginning(first) : await lookAtData(hub, SAMPLE_ROWS),
  );
}
