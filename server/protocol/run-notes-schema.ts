import * as z from 'zod/mini';

/** Characters of a note: a page. */
export const MAX_NOTE_LENGTH = 4000;

/** As many tags as one reads, each a word or two. */
export const MAX_TAGS = 20;
export const MAX_TAG_LENGTH = 50;

/** Schema of {@link RunNotes}. */
export const runNotesSchema = z.object({
  text: z.string().check(z.maxLength(MAX_NOTE_LENGTH)),
  tags: z.readonly(
    z
      .array(z.string().check(z.minLength(1), z.maxLength(MAX_TAG_LENGTH)))
      .check(z.maxLength(MAX_TAGS)),
  ),
});

/** What people write about a run. */
export type RunNotes = Readonly<z.infer<typeof runNotesSchema>>;

/** Schema of {@link RunNotesChange}. */
export const runNotesChangeSchema = z.partial(runNotesSchema);

/** What of the notes is replaced. */
export type RunNotesChange = Readonly<z.infer<typeof runNotesChangeSchema>>;

/** Of a run that nobody has written about. */
export const NO_NOTES: RunNotes = { text: '', tags: [] };
