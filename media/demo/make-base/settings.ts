/** Decides the rows, the corpus and the weights that everything starts from. */
export const SEED = 1;

/** Rows in `data/train.jsonl`. */
export const TRAIN_ROWS = 800;

/** Rows in `data/eval.jsonl`. */
export const EVAL_ROWS = 60;

/** Documents that the base model is pre-trained on. */
export const DOCUMENTS = 48_000;

/** The tokenizer learns from the first of them; its merges hardly change with more. */
export const TOKENIZER_DOCUMENTS = 5_000;

/** Tokens of the base model: the end of a text, 256 bytes, and merges until every word is one. */
export const VOCAB_SIZE = 1_358;
