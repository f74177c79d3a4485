import { isGgufModel, nameOfPart } from '../gguf/split-name.ts';
import { lookingSession, type Patience } from '../hub/connect.ts';
import { HubError } from '../hub/hub-error.ts';
import { listRepository, resolveRevision, subjectOf } from '../hub/repository.ts';

/** What the names of files say of how their weights are stored, as far as that is read. */
const READABLE =
  /(^|[-._])(F32|F16|BF16|Q[458]_[01]|Q[2-6]_K|IQ[1-4]_(XXS|XS|S|M|NL)|TQ[12]_0|MXFP4)([-._]|$)/i;

/** Weights in an order that llama.cpp no longer knows, or what belongs to pictures. */
const OF_NO_USE = /Q4_0_[48]_[48]|(^|\/)mmproj/i;

/**
 * The GGUF models of a repository that can be trained on, as far as the names of their files tell,
 * the smallest first; of one in parts the first part, with the bytes of all.
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
  const bytes = new Map<string, number>();
  for (const { path, size } of files) {
    const first = nameOfPart(path, 1);
    bytes.set(first, (bytes.get(first) ?? 0) + size);
  }
  const found = files
    .filter(({ path }) => isGgufModel(path) && READABLE.test(path) && !OF_NO_USE.test(path))
    .map(({ path }) => ({ file: path, bytes: bytes.get(path)! }))
    .toSorted((a, b) => a.bytes - b.bytes);
  if (found.length > 0) return found;
  throw new HubError(
    'hub.no_files',
    `${subjectOf(repository, 'main', connection).title} has no file with weights in a form that is read (F16, BF16, Q2 to Q8, IQ1 to IQ4); look for another edition of it.`,
  );
}
