import path from 'node:path';
import * as z from 'zod/mini';
import { readBoundedFile } from '../../engine/bounded-file.ts';
import { writeFileAtomic } from '../../engine/files/atomic-file.ts';
import { removeFolder } from '../../engine/files/remove.ts';
import { parseJson } from '../../engine/json.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import {
  NO_NOTES,
  type RunNotes,
  type RunNotesChange,
  runNotesSchema,
} from '../protocol/run-notes-schema.ts';

/** More than notes take, however they are escaped. */
const MAX_BYTES = 2 ** 16;

const notesFile = z.object({ version: z.literal(1), notes: runNotesSchema });

/** The notes in a run folder; none where there is no file that can be understood. */
export async function readNotes(folder: string): Promise<RunNotes> {
  try {
    const bytes = await readBoundedFile(path.join(folder, RUN_FILES.notes), MAX_BYTES, 'refuse');
    return notesFile.parse(parseJson(bytes.toString('utf8'))).notes;
  } catch {
    return NO_NOTES;
  }
}

/**
 * Replaces what is given of the notes in a run folder. They may be written while a run has the folder, which neither
 * reads nor writes them.
 *
 * @throws LorafaError `output.not_writable`
 */
export async function changeNotes(folder: string, change: RunNotesChange): Promise<void> {
  const file = path.join(folder, RUN_FILES.notes);
  const before = await readNotes(folder);
  const notes = { text: change.text ?? before.text, tags: change.tags ?? before.tags };
  if (notes.text === '' && notes.tags.length === 0) return removeFolder(file);
  await writeFileAtomic(file, `${JSON.stringify({ version: 1, notes }, null, 2)}\n`);
}
