import type { z } from 'zod';
import type { dataSection } from '../config/data-section.ts';

/** The settings of the section `data` that decide how a row becomes an example. */
export type DataOptions = Pick<
  z.output<typeof dataSection>,
  | 'format'
  | 'text_column'
  | 'prompt_column'
  | 'completion_column'
  | 'messages_column'
  | 'prompt_template'
  | 'completion_template'
  | 'apply_chat_template'
  | 'completion_only_loss'
  | 'max_length'
  | 'max_bad_rows'
>;

/** The settings of section `data` that say what a row is; each set that is mixed in has its own. */
export type RowOptions = Pick<
  DataOptions,
  | 'format'
  | 'text_column'
  | 'prompt_column'
  | 'completion_column'
  | 'messages_column'
  | 'prompt_template'
  | 'completion_template'
>;
