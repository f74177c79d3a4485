import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { readBoundedFile } from '../bounded-file.ts';
import { configSchema, type ResolvedConfig } from '../config/schema.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { type HubSource, hubSourceSchema } from '../inputs/hub-source.ts';
import { parseJson } from '../json.ts';
import { SIZED } from '../sized.ts';
import { type Lineage, lineageSchema } from './lineage.ts';

/** The file in a run folder that says what is run. */
export const RECORD_FILE = 'run.json';

/** As what trackers (`training.report_to`) know a run in all its sessions. */
const trackedSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** That of its folder when it began. */
  name: z.string().min(1, SIZED).max(255, SIZED),
});

const recordSchema = z.object({
  version: z.literal(2),
  /** With every default filled in: what a person wrote and what follows from it look alike. */
  config: configSchema,
  /** That of the latest session. */
  lineage: lineageSchema,
  /** What the names on the Hub stood for when the run began; absent where there are none. */
  hub: z.array(hubSourceSchema).exactOptional(),
  tracked: trackedSchema.exactOptional(),
});

const VERSION = recordSchema.shape.version.value;

/** More than any record has. */
const MAX_BYTES = 2 ** 24;

/** What `run.json` holds: the configuration that the run really uses, and how it got where it is. */
export interface RunRecord {
  readonly config: ResolvedConfig;
  readonly lineage: Lineage;
  readonly hub?: readonly HubSource[];
  readonly tracked?: TrackedIdentity;
}

/** See {@link trackedSchema}. */
export type TrackedIdentity = Readonly<z.infer<typeof trackedSchema>>;

/** For a run that begins; two of one name are told apart by the id. */
export function newTracked({ training }: ResolvedConfig): TrackedIdentity {
  return { id: randomBytes(16).toString('hex'), name: path.basename(training.output_dir) || 'run' };
}

/** Makes a record of each earlier version into one of the next. */
const MIGRATIONS: Readonly<Record<number, (record: object) => object>> = {
  1: (record) => ({ ...record, version: 2, lineage: [{ session: 'first', from: 0 }] }),
};

/** Stores the record of a session that begins. Throws LorafaError `output.not_writable`. */
export async function writeRunRecord(folder: string, record: RunRecord): Promise<void> {
  await writeFileAtomic(
    path.join(folder, RECORD_FILE),
    `${JSON.stringify({ version: VERSION, ...record }, null, 2)}\n`,
  );
}

/**
 * Reads the record of a run folder. It is data, not what a person wrote: values beside each other
 * that a person could not have meant are fine here.
 *
 * @throws LorafaError `checkpoint.corrupt` when there is none that can be understood
 */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const { version, ...record } = await readRecord(folder, recordSchema);
  return record;
}

async function readRecord<T>(folder: string, schema: z.ZodType<T>): Promise<T> {
  const file = path.join(folder, RECORD_FILE);
  const fail = (problem: string, cause?: unknown): LorafaError =>
    new LorafaError(
      'checkpoint.corrupt',
      `${folder} is not the folder of a run: ${RECORD_FILE} ${problem}; put it back from a copy, or begin a new run with one of its adapters as \`lora.init_adapter\`.`,
      { location: { file }, cause },
    );
  let json: unknown;
  try {
    json = parseJson(String(await readBoundedFile(file, MAX_BYTES, 'refuse')));
  } catch (error) {
    throw fail(`is missing or broken (${messageOf(error)})`, error);
  }
  const parsed = schema.safeParse(migrated(json, fail));
  if (parsed.success) return parsed.data;
  const { path: at, message } = parsed.error.issues[0]!;
  throw fail(`holds a value that cannot be used at "${at.join('.')}" (${message})`, parsed.error);
}

/** The record of a run folder; undefined where there is none that can be understood. */
export function findRunRecord(folder: string): Promise<RunRecord | undefined> {
  return readRunRecord(folder).catch(() => undefined);
}

/** The lineage of a run's latest session, whatever is run; undefined where it cannot be read. */
export async function readLineage(folder: string): Promise<Lineage | undefined> {
  try {
    return (await readRecord(folder, recordSchema.pick({ version: true, lineage: true }))).lineage;
  } catch {
    return undefined;
  }
}

function migrated(json: unknown, fail: (problem: string) => LorafaError): unknown {
  let record = json;
  for (;;) {
    const { data } = z.looseObject({ version: z.int() }).safeParse(record);
    if (data === undefined || data.version === VERSION) return record;
    const migrate = MIGRATIONS[data.version];
    if (migrate === undefined) {
      throw fail(
        `was written by a later version of LoRA-FA (${data.version}, here ${VERSION}); update the extension`,
      );
    }
    record = migrate(data);
  }
}
