import { z } from 'zod';
import { SIZED } from '../sized.ts';

const column = z.string().min(1, SIZED).meta({ format: 'data-column' });
const files = z
  .union([z.string().min(1, SIZED), z.array(z.string().min(1, SIZED)).min(1, SIZED)])
  .meta({ format: 'data-path' });

/** What a row says, and in which of its columns. */
const rowKeys = {
  format: z
    .enum(['auto', 'text', 'prompt_completion', 'messages', 'template'])
    .default('auto')
    .describe(
      'The shape of a row. `auto` recognises it by its columns: `text`; a prompt with its completion (also query/response, question/answer, instruction/input/output); `messages` or ShareGPT `conversations`, with the columns `system` and `tools` where there are any. `template` builds the row from `prompt_template` and `completion_template`.',
    ),
  text_column: column
    .exactOptional()
    .describe('The column with the whole text, where it is not called `text`.'),
  prompt_column: column
    .exactOptional()
    .describe('The column with the prompt, where its name is not recognised.'),
  completion_column: column
    .exactOptional()
    .describe('The column with the completion, where its name is not recognised.'),
  messages_column: column
    .exactOptional()
    .describe(
      'The column with the chat turns, where it is not called `messages` or `conversations`.',
    ),
  prompt_template: z
    .string()
    .meta({ format: 'multiline-text' })
    .exactOptional()
    .describe(
      'The prompt with `{column}` in place of a column\'s value, e.g. `"Q: {question}\\nA: "`. `{{` and `}}` stand for braces.',
    ),
  completion_template: z
    .string()
    .min(1, SIZED)
    .meta({ format: 'multiline-text' })
    .exactOptional()
    .describe(
      'The completion with `{column}` in place of a column\'s value, e.g. `"{answer}"`. Alone, it is the whole text.',
    ),
};

/** A further set that is mixed in: it says of its rows what section `data` says of the others. */
const mixedSet = z.strictObject({
  dataset_name_or_path: files.describe(
    'The rows that are mixed in, in the form of `data.dataset_name_or_path`.',
  ),
  weight: z
    .number()
    .gt(0)
    .lte(100)
    .exactOptional()
    .describe(
      'How many rows of this set an epoch has for each row of `data.dataset_name_or_path`: `0.25` a quarter as many, `1` as many. A larger set gives some of its rows, chosen by `training.seed`; a smaller one gives rows several times. Without a weight all its rows come once.',
    ),
  ...rowKeys,
});

/** Section `data`: which rows are learned and how a row becomes tokens. */
export const dataSection = z
  .strictObject({
    dataset_name_or_path: files.describe(
      'The training data: a `.jsonl`, `.json`, `.csv`, `.tsv`, `.txt`, `.parquet` or `.arrow` file, text also compressed (`.jsonl.gz`, `.jsonl.zst`); a folder of files of one kind, of which those of the training split are taken where their names tell splits apart; a pattern (`data/*.jsonl`, `data/**/*.parquet`); or a list of these. A slice picks rows: `train.jsonl[:1000]` takes the first 1,000, `train.jsonl[1000:1200]` the 200 after them. A relative path starts at the folder of this file. Or a name on the Hugging Face Hub: `owner/name`, of which the training split is taken, `owner/name@revision`, and after a colon a split, a configuration or a file (`owner/name:test`).',
    ),
    eval_dataset_name_or_path: files
      .exactOptional()
      .describe(
        'Held-out data, never trained on, in the same form as `dataset_name_or_path`; of a name on the Hub the split `validation` or `test` is taken. Excludes `eval_split`.',
      ),
    eval_split: z
      .union([z.number().gt(0).lt(1), z.int().min(1)])
      .exactOptional()
      .describe(
        'Holds back a part of the training data for evaluation: a share below 1 (`0.1` is a tenth) or a number of rows. Chosen at random by `training.seed`. Excludes `eval_dataset_name_or_path`.',
      ),
    ...rowKeys,
    apply_chat_template: z
      .union([z.literal('auto'), z.boolean()])
      .default('auto')
      .describe(
        "Whether rows go through the model's chat template. With `auto`, chat turns do, and so do prompt and completion (as a user's and an assistant's turn) where the model has a template; plain text and your own templates are taken as written, unless this is `true`.",
      ),
    chat_template: z
      .string()
      .min(1, SIZED)
      .meta({ format: 'chat-template' })
      .exactOptional()
      .describe(
        "A chat template in the place of the model's own: Jinja text, or the path of a `.jinja` file, which starts at the folder of this file. It is saved with the adapter as `chat_template.jinja`, so that answers are asked for in the same way.",
      ),
    completion_only_loss: z
      .boolean()
      .default(true)
      .describe(
        'Learn the completions (in chats: the assistant turns) and only read the prompts. `false` learns every token. Rows of plain text are always learned whole.',
      ),
    train_on: z
      .enum(['assistant', 'last_assistant', 'all'])
      .exactOptional()
      .describe(
        'What of a conversation is learned: `assistant`, every answer, as it is without this key; `last_assistant`, the last answer alone, with all before it only read (calls of tools and earlier answers too); `all`, every token, as with `completion_only_loss: false`. Where the chat template has `{% generation %}` blocks, an answer is what they hold. Of a prompt with its completion, `assistant` is the completion.',
      ),
    mix: z
      .array(mixedSet)
      .min(1, SIZED)
      .exactOptional()
      .describe(
        'Further sets that are mixed into the training data, each with its own columns and its own share of an epoch (`weight`), such as general conversations beside those of a task. What else this section says holds for all of them; held-out rows are of `dataset_name_or_path` alone.',
      ),
    streaming: z
      .union([z.literal('auto'), z.boolean()])
      .default('auto')
      .describe(
        'Read training rows when their turn comes instead of keeping all of their tokens in memory, so that data of any size train at once and in little memory. `auto` does so with files of more than 256 MiB together. Rows then come in random blocks and are shuffled among `buffer_size` rows; counts of tokens and steps are inferred from the first of them. For `.jsonl`, `.txt`, `.parquet` and `.arrow`; other files must be small.',
      ),
    buffer_size: z
      .int()
      .min(1)
      .default(4096)
      .describe(
        'With `streaming`, how many rows are in memory and shuffled, grouped or packed together. More rows mix better and take more memory, about 5 bytes for each of their tokens.',
      ),
    max_length: z
      .int()
      .min(2)
      .default(1024)
      .describe(
        'Tokens per row at most; what is longer is cut at its end. Memory and time grow with it.',
      ),
    max_bad_rows: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'How many unusable rows may be left out (each is listed with its file and line) before the run is refused.',
      ),
    packing: z
      .boolean()
      .default(false)
      .describe(
        "Put several short examples into one row of at most `max_length` tokens, so that hardly any time goes into padding (TRL's `packing` with the strategy `bfd`). No example is cut, and none sees another. Batch sizes count rows, so that a batch holds more examples and an epoch has fewer steps. Held-out data is packed as well; its loss is the same. Only dropout masks differ, since they depend on the place in a batch.",
      ),
    group_by_length: z
      .boolean()
      .default(true)
      .describe(
        'Put rows of similar length into the same batch, so that less time goes into padding. Batches of different lengths come in random order, those of one length in runs of a few.',
      ),
    pad_to_multiple_of: z
      .int()
      .min(1)
      .exactOptional()
      .describe(
        'Batches are padded to a multiple of this many tokens. Each distinct length costs the preparation of one graph; a small value pads less and prepares more. Default: 64; on a CUDA device a quarter of `max_length`, since there each shape is captured as a CUDA graph, and a captured step costs one launch in the place of thousands.',
      ),
  })
  .describe('The training data and how a row becomes tokens.');
