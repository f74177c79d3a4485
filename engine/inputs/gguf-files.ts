import { lookingSession, type Patience } from '../hub/connect.ts';
import { HubError } from '../hub/hub-error.ts';
import { listRepository, resolveRevision, subjectOf } from '../hub/repository.ts';

/** What the names of files say of how their weights are stored, as far as that is read. */
const READABLE = /(^|[-._])(F32|F16|BF16|Q[458]_[01]|Q[45]_K(_[SML])?|Q6_K)([-._]|$)/i;

/** Parts of a file, or what belongs to pictures. */
const OF_NO_USE = /-\d{5}-of-\d{5}\.gguf$|(^|\/)mmproj/i;

/**
 * The GGUF files of a repository that can be trained on, as far as their names tell, the smallest first.
 *
 * @param name `owner/name`
 * @throws HubError, among them `hub.no_files`
 */
export async function ggufFiles(
  name: string,
  patience: Patience = {},
): Promise<readonly { readonly file: string; readonly bytes: number }[]> {
  const { connection } = await lookingSession(patience);
  const repository = { kind: 'model', name } as const;
  const { commit } = await resolveRevision(repository, 'main', connection);
  const files = await listRepository(repository, commit, connection);
  const found = files
    .filter(({ path }) => path.endsWith('.gguf') && READABLE.test(path) && !OF_NO_USE.test(path))
    .map(({ path, size }) => ({ file: path, bytes: size }))
    .toSorted((a, b) => a.bytes - b.bytes);
  if (found.length > 0) return found;
  throw new HubError(
    'hub.no_files',
    `${subjectOf(repository, 'main', connection).title} has no file with weights in a form that is read (F16, BF16, Q8_0, Q6_K, Q5 or Q4); look for another edition of it.`,
  );
}
