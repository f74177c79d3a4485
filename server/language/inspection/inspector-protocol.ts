import * as z from 'zod/mini';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import type { RunEstimate } from '../../../engine/plan/estimate-run.ts';
import type { TrainingMemory } from '../../../engine/plan/training-memory.ts';
import type { Device } from '../../../engine/runtime/device.ts';
import { COMPUTE_MODES } from '../../../engine/weights/compute-mode.ts';
import type { DataSample, PreviewPage, PreviewState } from '../../protocol/data.ts';
import type { ModelOutlook } from '../../protocol/hub.ts';
import { notification, request } from '../../rpc/message.ts';
import type { Inspection } from './config-inspector.ts';

/**
 * Every message between the language server and the process in which it looks at files, whose two
 * ends are always of one version.
 */

/** What may have to be asked of the Hugging Face Hub, with the user's token for it. */
const withToken = z.object({ hubToken: z.optional(z.string()) });

/** A configuration whose inputs may have to be fetched first. */
const fileToFetch = z.extend(withToken, { file: z.string() });

/** A model or data, by a name on the Hub. */
const nameToFetch = z.extend(withToken, { name: z.string() });

/**
 * Server → inspector: look at the files that a configuration names. Cancelled when its text changes;
 * it is answered then with what was found so far.
 */
export const inspectConfig = request<Inspection>()(
  'inspector/inspect',
  z.object({
    /** Path of the configuration, where relative paths start. */
    file: z.string(),
    text: z.string(),
  }),
);

/** Inspector → server: the key of the configuration whose files are looked at now. */
export const inspectedPlace = notification(
  'inspector/place',
  z.object({ path: z.readonly(z.array(z.union([z.string(), z.number()]))) }),
);

/**
 * Inspector → server: the device that `auto` takes for a mode of `engine.compute`, whose trial takes seconds and is the
 * server's. Null while that is not over, unless it is to be waited for.
 */
export const findAutoDevice = request<Device | null>()(
  'inspector/device',
  z.object({ compute: z.enum([...COMPUTE_MODES, 'auto']), waits: z.boolean() }),
);

/** Server → inspector: the columns of data files, for completions. */
export const listColumns = request<readonly string[]>()(
  'inspector/columns',
  z.object({ names: z.readonly(z.array(z.string())) }),
);

/** Server → inspector: full names of the layers of a base model, for completions. */
export const listModules = request<readonly string[]>()(
  'inspector/modules',
  z.object({ model: z.string() }),
);

/** Server → inspector: whether a base model, or an adapter on it, has a chat template. */
export const findChatTemplate = request<boolean>()(
  'inspector/chatTemplate',
  z.object({ model: z.string(), adapter: z.nullable(z.string()) }),
);

/** Server → inspector: estimate a run from a configuration and all of its data. */
export const estimateConfig = request<RunEstimate>()(
  'inspector/estimate',
  z.extend(withToken, { config: z.custom<ResolvedConfig>() }),
);

/** Inspector → server: how far an estimate is. */
export const estimateProgressed = notification(
  'inspector/estimate/progress',
  z.object({ task: z.string(), done: z.number(), total: z.number() }),
);

/** Server → inspector: the columns and first rows of a data file. */
export const sampleFile = request<DataSample>()('inspector/sample', z.object({ file: z.string() }));

/**
 * Server → inspector: read all data of a configuration, as it is on disk, and keep them. Cancelled,
 * it is answered too, and what was read is kept.
 */
export const readData = request<null>()('inspector/data/read', fileToFetch);

/** Inspector → server: how far that is, or the search in it. */
export const dataNews = notification(
  'inspector/data/news',
  z.object({ state: z.custom<PreviewState>() }),
);

/** Server → inspector: rows of the data that were read. */
export const getDataRows = request<PreviewPage>()(
  'inspector/data/rows',
  z.object({ start: z.number(), count: z.number() }),
);

/** Server → inspector: search the data that are read. */
export const searchData = request<null>()('inspector/data/search', z.object({ text: z.string() }));

/** Server → inspector: what it would be to train a model. */
export const lookAtModel = request<ModelOutlook>()('inspector/hub/model', nameToFetch);

/** Server → inspector: what training one of the models to begin with takes. Nobody is asked for that. */
export const estimateStarter = request<TrainingMemory>()(
  'inspector/hub/starter',
  z.object({ name: z.string() }),
);

/** Server → inspector: the columns and first rows of data on the Hub. */
export const lookAtData = request<DataSample>()('inspector/hub/data', nameToFetch);

/** Server → inspector: bring a model of the Hub here; its path. */
export const downloadModel = request<string>()('inspector/hub/download', nameToFetch);

/** Inspector → server: how far a download is, for people. */
export const downloadProgressed = notification(
  'inspector/hub/download/progress',
  z.object({ text: z.string() }),
);
