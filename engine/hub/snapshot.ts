import { stat } from 'node:fs/promises';
import path from 'node:path';
import { freeBytes } from '../disk-space.ts';
import { LorafaError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { linkFile } from '../files/create-file.ts';
import { ensureFolder } from '../files/folders.ts';
import { withWayOut } from '../files/not-writable.ts';
import { sweepTemporaries } from '../files/remove.ts';
import { formatBytes } from '../format-bytes.ts';
import type { FileHead } from '../formats/file-head.ts';
import { storeCard, storedCard } from './data-card.ts';
import { downloadFile, partialName } from './download-file.ts';
import { DownloadProgress, type OnDownload } from './download-progress.ts';
import { fetchHead, hasHead } from './fetch-range.ts';
import { CachedRepository } from './hub-cache.ts';
import type { HubConnection } from './hub-connection.ts';
import { HubError } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';
import {
  fileUrl,
  isCommit,
  listRepository,
  type RemoteFile,
  type Repository,
  type RepositoryState,
  resolveRevision,
  subjectOf,
} from './repository.ts';
import { withRepositoryLock } from './repository-lock.ts';
import type { ChooseFiles } from './repository-view.ts';

/** What is wanted of a repository. */
export interface SnapshotRequest {
  readonly repository: Repository;
  /** As a person wrote it. */
  readonly name: string;
  readonly revision: string;
  readonly choose: ChooseFiles;
  /** The same files every time: where they are here, nobody needs to be asked. */
  readonly isFixed: boolean;
  /** Of weights that are not here only the headers are fetched. */
  readonly headsOnly?: boolean;
}

/** Files of a repository on this machine. */
export interface Snapshot {
  readonly commit: string;
  readonly folder: string;
  /** With `/` between the parts of their names. */
  readonly files: readonly string[];
  /** The headers of those that are not here, by their paths; none unless `headsOnly` is asked for. */
  readonly heads?: ReadonlyMap<string, FileHead>;
}

/** What a download works with. */
export interface HubSession {
  readonly settings: HubSettings;
  readonly connection: HubConnection;
  readonly onDownload: OnDownload;
}

/** Finds in the cache what is wanted, without asking anybody; undefined where something is missing. */
export async function cachedSnapshot(
  { repository, name, revision, choose }: SnapshotRequest,
  { cacheFolder }: Pick<HubSettings, 'cacheFolder'>,
): Promise<Snapshot | undefined> {
  const cached = new CachedRepository(cacheFolder, repository);
  const commit = await cached.commitOf(revision);
  if (commit === undefined) return undefined;
  const folder = cached.snapshot(commit);
  const here = await cached.files(commit);
  const configs = await storedCard(repository, commit);
  const view = { repository, name, folder, files: here, configs, get: async () => undefined };
  try {
    return { commit, folder, files: await choose(view) };
  } catch (error) {
    if (error instanceof HubError && error.code === 'hub.no_files') return undefined;
    throw error;
  }
}

/**
 * Brings what is wanted into the cache, as far as it is not there. Of processes that want the same,
 * one downloads.
 *
 * @throws HubError for everything that can be wrong between here and the Hub, and `hub.no_space`;
 * LorafaError `output.not_writable`, and what the choice of files throws
 */
export async function fetchSnapshot(
  request: SnapshotRequest,
  session: HubSession,
): Promise<Snapshot> {
  const { repository, revision, headsOnly = false } = request;
  const { commit, configs, files } = await chooseFiles(request, session);
  const cached = new CachedRepository(session.settings.cacheFolder, repository);
  const wanted = { repository, cached, commit };
  const isHead = ({ path: file }: RemoteFile): boolean => headsOnly && hasHead(file);
  await obtain({ ...wanted, files: files.filter((file) => !isHead(file)) }, session);
  const heads = await headsOf({ ...wanted, files: files.filter(isHead) }, session);
  await storeCard(repository, commit, configs);
  if (!isCommit(revision)) await storeRef(cached, revision, commit);
  return { commit, folder: cached.snapshot(commit), files: files.map((file) => file.path), heads };
}

/** More than a file has by which others are chosen: a configuration, an index of weights. */
const MAX_DECIDING_BYTES = 2 ** 26;

/** What a request stands for at the moment. */
export interface ChosenFiles extends RepositoryState {
  readonly files: readonly RemoteFile[];
}

/**
 * Asks which files of a repository are wanted, and fetches only what that depends on.
 *
 * @throws as {@link fetchSnapshot}
 */
export async function chooseFiles(
  { repository, name, revision, choose }: SnapshotRequest,
  session: HubSession,
): Promise<ChosenFiles> {
  const { settings, connection } = session;
  const cached = new CachedRepository(settings.cacheFolder, repository);
  const { commit, configs } = await resolveRevision(repository, revision, connection);
  const remote = new Map(
    (await listRepository(repository, commit, connection)).map((file) => [file.path, file]),
  );
  const folder = cached.snapshot(commit);
  const remoteFiles = (names: readonly string[]): RemoteFile[] =>
    names.map((each) => remote.get(each)!);
  const requireSmall = ({ path: file, size }: RemoteFile): void => {
    if (size <= MAX_DECIDING_BYTES) return;
    throw new HubError(
      'hub.no_files',
      `${name} has a ${file} of ${formatBytes(size)}, which can be no such file; look for another one.`,
    );
  };
  // Nobody needs to be told of the few bytes that a choice depends on.
  const quiet = { ...session, onDownload: () => undefined };
  const get = async (names: readonly string[]): Promise<void> => {
    const deciding = remoteFiles(names);
    deciding.forEach(requireSmall);
    await obtain({ repository, cached, commit, files: deciding }, quiet);
  };
  const files = await choose({ repository, name, folder, files: [...remote.keys()], configs, get });
  return { commit, configs, files: remoteFiles(files) };
}

/** Keeps what a revision is, for when the Hub cannot be asked. A cache that cannot be written serves all the same. */
async function storeRef(cached: CachedRepository, revision: string, commit: string): Promise<void> {
  if ((await cached.commitOf(revision)) === commit) return;
  const file = cached.ref(revision);
  await ensureFolder(path.dirname(file))
    .then(() => writeFileAtomic(file, commit))
    .catch(() => undefined);
}

/** Files of one commit. */
interface Wanted {
  readonly repository: Repository;
  readonly cached: CachedRepository;
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** The headers of weights that are not here. */
async function headsOf(
  wanted: Wanted,
  { settings, connection }: HubSession,
): Promise<ReadonlyMap<string, FileHead>> {
  const { repository, commit } = wanted;
  const subject = subjectOf(repository, commit, connection);
  const heads = new Map<string, FileHead>();
  for (const file of await missingOf(wanted)) {
    const url = fileUrl(repository, commit, file.path, settings.endpoint);
    heads.set(pointerOf(wanted, file), await fetchHead({ file, url, subject }, connection));
  }
  return heads;
}

async function obtain(wanted: Wanted, session: HubSession): Promise<void> {
  if ((await missingOf(wanted)).length === 0) return;
  try {
    await obtainMissing(wanted, session);
  } catch (error) {
    if (!(error instanceof LorafaError) || error.code !== 'output.not_writable') throw error;
    const wayOut = 'this is the cache of the hub, so set HF_HOME to a folder that can be written';
    throw new HubError('hub.not_writable', withWayOut(error, wayOut), { cause: error });
  }
}

async function obtainMissing(wanted: Wanted, session: HubSession): Promise<void> {
  const { cached, repository } = wanted;
  await ensureFolder(path.dirname(cached.lockFile));
  await ensureFolder(cached.blobs);
  const onWait = (): void =>
    session.onDownload({
      task: `waiting for another process that downloads ${repository.name}`,
      done: 0,
      total: 1,
    });
  const download = async (): Promise<void> => {
    // Another process may have had it meanwhile.
    const missing = await missingOf(wanted);
    if (missing.length > 0) await downloadAll({ ...wanted, files: missing }, session);
  };
  await withRepositoryLock(cached.lockFile, onWait, download, session.connection.signal);
}

async function downloadAll(wanted: Wanted, session: HubSession): Promise<void> {
  const { repository, cached, commit, files } = wanted;
  const { settings, connection, onDownload } = session;
  await requireSpace(wanted, settings.cacheFolder);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const progress = new DownloadProgress(`downloading ${repository.name}`, total, onDownload);
  const subject = subjectOf(repository, commit, connection);
  for (const file of files) {
    const blob = cached.blob(file.digest);
    const pointer = pointerOf(wanted, file);
    if ((await sizeOf(blob)) === file.size) progress.add(file.size, false);
    else {
      const url = fileUrl(repository, commit, file.path, settings.endpoint);
      await downloadFile({ file, url, subject, blob }, connection, (bytes, isNew) =>
        progress.add(bytes, isNew),
      );
    }
    await linkFile(blob, pointer);
    await sweepTemporaries(path.dirname(pointer));
  }
  progress.end();
}

async function missingOf(wanted: Wanted): Promise<readonly RemoteFile[]> {
  const sizes = await Promise.all(wanted.files.map((file) => sizeOf(pointerOf(wanted, file))));
  return wanted.files.filter(({ size }, index) => sizes[index] !== size);
}

function pointerOf({ cached, commit }: Wanted, file: RemoteFile): string {
  return path.join(cached.snapshot(commit), ...file.path.split('/'));
}

/** Throws `hub.no_space` where the files would fill the disk. */
async function requireSpace({ repository, cached, files }: Wanted, folder: string): Promise<void> {
  const here = await Promise.all(
    files.flatMap(({ digest }) => {
      const blob = cached.blob(digest);
      return [sizeOf(blob), sizeOf(partialName(blob))];
    }),
  );
  const needed =
    files.reduce((sum, { size }) => sum + size, 0) -
    here.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const free = await freeBytes(cached.folder);
  if (needed <= free) return;
  throw new HubError(
    'hub.no_space',
    `${repository.name} needs ${formatBytes(needed)} more in ${folder}, and ${formatBytes(free)} are free there; free some space, or set HF_HOME to a folder on another disk.`,
  );
}

function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
}
