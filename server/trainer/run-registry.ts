import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import * as z from 'zod/mini';
import { readBoundedFile } from '../../engine/bounded-file.ts';
import { writeFileAtomic } from '../../engine/files/atomic-file.ts';
import { ensureFolder } from '../../engine/files/folders.ts';
import { removeFolder, sweepTemporaries } from '../../engine/files/remove.ts';
import { parseJson } from '../../engine/json.ts';
import { mapBounded } from '../map-bounded.ts';

const registeredRunSchema = z.object({
  version: z.literal(1),
  /** Absolute path of the run folder. */
  folder: z.string().check(z.refine((folder) => path.isAbsolute(folder))),
  configFile: z.nullable(z.string()),
});

/** A file that was begun longer ago is abandoned: its writer may be out of sight, as in a container. */
const ABANDONED_MS = 60_000;

/** Two paths have room in it, however long the system allows them to be. */
const MAX_ENTRY_BYTES = 2 ** 17;

/** A run that was started once by this user. */
export type RegisteredRun = Readonly<Omit<z.infer<typeof registeredRunSchema>, 'version'>>;

/**
 * The folder for what programs remember from one start to the next, in the place that the operating
 * system has for it.
 */
export function defaultRegistryFolder(): string {
  const { env } = process;
  const base =
    process.platform === 'win32'
      ? (env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? path.join(homedir(), 'Library', 'Application Support')
        : env['XDG_STATE_HOME'] || path.join(homedir(), '.local', 'state');
  return path.join(base, 'lorafa', 'runs');
}

/** The run folders of a user, one small file each, so that processes can add at the same time. */
export class RunRegistry {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Remembers a run. Throws LorafaError `output.not_writable`. */
  async add(run: RegisteredRun): Promise<void> {
    await ensureFolder(this.folder);
    await sweepTemporaries(this.folder, ABANDONED_MS);
    const content = JSON.stringify({ version: 1, ...run });
    await writeFileAtomic(this.#fileOf(run.folder), `${content}\n`);
  }

  /** Forgets a run. Throws LorafaError `output.not_writable`. */
  async remove(folder: string): Promise<void> {
    await removeFolder(this.#fileOf(folder));
  }

  /** All runs, also those whose folder is gone by now. */
  async list(): Promise<readonly RegisteredRun[]> {
    const names = await readdir(this.folder).catch(() => []);
    const files = names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
    const runs = await mapBounded(files, (name) => this.#read(name));
    return runs.filter((run) => run !== undefined);
  }

  #fileOf(folder: string): string {
    const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
    return path.join(this.folder, `${name}.json`);
  }

  async #read(name: string): Promise<RegisteredRun | undefined> {
    try {
      const bytes = await readBoundedFile(path.join(this.folder, name), MAX_ENTRY_BYTES, 'refuse');
      return registeredRunSchema.parse(parseJson(bytes.toString('utf8')));
    } catch {
      return undefined;
    }
  }
}
