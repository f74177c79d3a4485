import { type Normalizer, SequenceNormalizer } from '@huggingface/tokenizers';
import { isJsonObject, type JsonObject } from '../json-file.ts';

/**
 * Ids are below this number. The largest published vocabulary has 901,629 tokens
 * (facebook/xlm-v-base), and the library makes a list as long as the largest id.
 */
export const MAX_TOKEN_ID = 2 ** 23;

/** Characters of a pattern; that of GPT-4 has some 120, those generated for Chinese some 20,000. */
const MAX_PATTERN = 2 ** 16;

/** How many characters or tokens pre-tokenizers, say, may together make of one; SentencePiece has 2. */
const MAX_GROWTH = 64;

/** Characters of any normalized text, eight million tokens. */
const MAX_NORMALIZED = 2 ** 25;

/** Parts of a tokenizer; published ones have up to a dozen. */
const MAX_PARTS = 256;

/** Keys whose text is put in for every match, or before a text. */
const INSERTED = ['content', 'prepend', 'replacement', 'str_rep'] as const;

/** Keys of a vocabulary's model whose text is put to pieces of words. */
const AFFIXES = [
  'continuing_subword_prefix',
  'continuing_subword_suffix',
  'end_of_word_suffix',
] as const;

/**
 * What no tokenizer has: ids so large that a list of them fills memory, parts that make of a text
 * one of a size that no memory holds, or that never come to its end. Undefined for plausible ones.
 *
 * @param tokenizerJson the content of `tokenizer.json`
 */
export function implausiblePart(tokenizerJson: JsonObject): string | undefined {
  const { model } = tokenizerJson;
  return (
    implausibleId(tokenizerJson, isJsonObject(model) ? model : {}) ??
    ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder']
      .map((key) => implausibleParts(key, tokenizerJson[key]))
      .find((problem) => problem !== undefined)
  );
}

function implausibleId({ added_tokens: added }: JsonObject, model: JsonObject): string | undefined {
  const { vocab } = model;
  const tooLarge = (token: unknown, id: unknown): string | undefined =>
    typeof id === 'number' && !(Number.isInteger(id) && id >= 0 && id < MAX_TOKEN_ID)
      ? `its token ${JSON.stringify(token)} has the id ${id}, where ids are whole numbers below ${MAX_TOKEN_ID}`
      : undefined;
  for (const token of Array.isArray(added) ? added.filter(isJsonObject) : []) {
    const problem = tooLarge(token['content'], token['id']);
    if (problem !== undefined) return problem;
  }
  for (const [token, id] of isJsonObject(vocab) ? Object.entries(vocab) : []) {
    const problem = tooLarge(token, id);
    if (problem !== undefined) return problem;
  }
  const affix = AFFIXES.find((key) => textLength(model[key]) > MAX_GROWTH);
  return affix && `its ${affix} has more than ${MAX_GROWTH} characters`;
}

function implausibleParts(key: string, component: unknown): string | undefined {
  const parts = flatten(component);
  if (parts.length > MAX_PARTS) return `its ${key} has more than ${MAX_PARTS} parts`;
  const growths = parts.map(growthOf);
  // What normalizers make is measured after each of them; of those of the others this is the product.
  const growth =
    key === 'normalizer'
      ? Math.max(1, ...growths)
      : growths.reduce((product, each) => product * each, 1);
  if (growth > MAX_GROWTH) return `its ${key} makes more than ${MAX_GROWTH} characters of one`;
  if (parts.some(({ pattern }) => isJsonObject(pattern) && patternLength(pattern) > MAX_PATTERN)) {
    return `its ${key} has a pattern of more than ${MAX_PATTERN} characters`;
  }
  const isStuck = parts.some(
    ({ type, length }) => type === 'FixedLength' && !(typeof length === 'number' && length >= 1),
  );
  return isStuck ? `its ${key} cuts texts into pieces without a length` : undefined;
}

/** A component and those within it: all members of a `Sequence`, and what is in them. */
function flatten(component: unknown): readonly JsonObject[] {
  const found: JsonObject[] = [];
  const open = [component];
  while (open.length > 0 && found.length <= MAX_PARTS) {
    const next = open.pop();
    if (!isJsonObject(next)) continue;
    found.push(next);
    const members = [
      next['normalizers'],
      next['pretokenizers'],
      next['processors'],
      next['decoders'],
    ];
    for (const list of members) if (Array.isArray(list)) open.push(...list.slice(0, MAX_PARTS));
  }
  return found;
}

/** At most how many characters, or tokens, a part makes of one. */
function growthOf(part: JsonObject): number {
  const inserted = Math.max(...INSERTED.map((key) => textLength(part[key])));
  // An expression may match the nothing before each character, which then stays.
  const growth = isJsonObject(part['pattern']) && inserted > 0 ? inserted + 1 : inserted;
  const { single } = part;
  const copies = Array.isArray(single)
    ? single.filter((each) => isJsonObject(each) && 'Sequence' in each).length
    : 1;
  return Math.max(1, growth) * Math.max(1, copies);
}

function patternLength({ Regex, String: text }: JsonObject): number {
  return Math.max(textLength(Regex), textLength(text));
}

function textLength(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}

/** Lets a normalizer, and each of a sequence, make no texts larger than memory holds. */
export function boundNormalizer(normalizer: Normalizer | null): void {
  if (normalizer === null) return;
  if (normalizer instanceof SequenceNormalizer) normalizer.normalizers.forEach(boundNormalizer);
  const normalize = normalizer.normalize.bind(normalizer);
  normalizer.normalize = (text) => {
    const normalized = normalize(text);
    if (normalized.length <= MAX_NORMALIZED) return normalized;
    throw new Error(`its normalizer makes a text of more than ${MAX_NORMALIZED} characters`);
  };
}
