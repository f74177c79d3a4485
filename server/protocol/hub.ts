import * as z from 'zod/mini';
import type { StarterData } from '../../engine/data/starter-data.ts';
import type { HubEntry } from '../../engine/hub/search-hub.ts';
import type { StarterModel } from '../../engine/models/starter-models.ts';
import type { TrainingMemory } from '../../engine/plan/training-memory.ts';
import type { ShownPush } from '../publish/plan-push.ts';
import type { PushResult } from '../publish/push.ts';
import { notification, request } from '../rpc/message.ts';
import type { DataSample } from './data.ts';
import { folder, nothing } from './fields.ts';

/**
 * Client → server: the user's access token for the Hugging Face Hub, or that there is none. It is sent
 * past all traces, before anything is asked for and whenever it changes, and written nowhere.
 */
export const hubTokenGiven = notification(
  'lorafa/hub/token',
  z.object({ token: z.nullable(z.string()) }),
);

/** The proxy that VS Code is set to use, and the hosts that are reached without one. */
export interface ProxySetting {
  /** Null: that of the environment, if there is any. */
  readonly proxy: string | null;
  readonly except: readonly string[];
}

/** Client → server: how requests leave from now on. It is sent as {@link hubTokenGiven} is: an address may hold a password. */
export const proxyGiven = notification(
  'lorafa/hub/proxy',
  z.object({ proxy: z.nullable(z.string()), except: z.array(z.string()) }),
);

/** Client → server: the name of the account whose access token the server has. */
export const whoIsSignedIn = request<string>()('lorafa/hub/who', nothing);

/** Client → server: repositories of the Hugging Face Hub that can be trained on, by a part of their names. */
export const searchHub = request<readonly HubEntry[]>()(
  'lorafa/hub/search',
  z.object({
    kind: z.enum(['model', 'dataset']),
    text: z.string().check(z.minLength(1), z.maxLength(200)),
  }),
);

/** What is proposed to begin with: well-known models by size, and data. */
export interface Starters {
  readonly models: readonly Omit<StarterModel, 'config'>[];
  readonly data: readonly StarterData[];
}

/** Client → server: what is proposed to begin with, of which nobody is asked anything. */
export const listStarters = request<Starters>()('lorafa/hub/starters', nothing);

/** Client → server: what training a model of {@link listStarters} takes. Nobody is asked for that. */
export const estimateStarter = request<TrainingMemory>()(
  'lorafa/hub/starter',
  z.object({ name: z.string() }),
);

/** What it would be to train a model. */
export interface ModelOutlook {
  /** Bytes of weights that would be downloaded; 0 for a model that is here. */
  readonly download: number;
  readonly memory: TrainingMemory;
}

const named = z.object({ name: z.string().check(z.minLength(1)) });

/**
 * Client → server: what it would be to train a model, a path or a name on the Hub, of which no weight
 * is fetched for that. Refused for one that cannot be trained.
 */
export const lookAtModel = request<ModelOutlook>()('lorafa/hub/model', named);

/** A file of a model in the form of GGUF. */
export interface GgufEntry {
  readonly file: string;
  readonly bytes: number;
}

/** Client → server: the GGUF files of a model on the Hub that can be trained on. */
export const listGguf = request<readonly GgufEntry[]>()('lorafa/hub/gguf', named);

/** Client → server: the columns and first rows of data on the Hub, of which only these are fetched. */
export const lookAtData = request<DataSample>()('lorafa/hub/data', named);

/**
 * Client → server: bring a model of the Hub onto this machine. Answered with its path;
 * {@link downloadProgress} tells how far it is. Cancelled like any request (`$/cancelRequest`); what
 * has come is kept for the next time.
 */
export const downloadModel = request<string>()('lorafa/hub/download', named);

/** Server → client: how far the download of a model is, for people. */
export const downloadProgress = notification(
  'lorafa/hub/download/progress',
  z.extend(named, { text: z.string() }),
);

const pushed = z.object({
  folder,
  /** `owner/name`, or a name below the user's own. */
  repository: z.string().check(z.minLength(1)),
  /** Who may read a repository that is made; null: as it is where it is there, otherwise private. */
  isPrivate: z.nullable(z.boolean()),
});

/** Client → server: what pushing an adapter would send, and where to; nothing is changed for that. */
export const planPush = request<ShownPush>()('lorafa/hub/push/plan', pushed);

/**
 * Client → server: push an adapter, if it is still what {@link planPush} showed. {@link pushProgress} tells how
 * far it is. Cancelled like any request (`$/cancelRequest`).
 */
export const pushAdapter = request<PushResult>()(
  'lorafa/hub/push',
  z.extend(pushed, {
    /** Chosen by the client: names the push in {@link pushProgress}. */
    id: z.string(),
    digest: z.string().check(z.minLength(1)),
  }),
);

/** Server → client: how far a push is, for people; null when all is sent and the commit is asked for. */
export const pushProgress = notification(
  'lorafa/hub/push/progress',
  z.object({ id: z.string(), text: z.nullable(z.string()) }),
);
