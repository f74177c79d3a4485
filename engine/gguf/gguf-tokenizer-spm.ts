import type { JsonObject } from '../json-file.ts';
import type { GgufVocabulary, TokenizerPipeline } from './gguf-tokenizer.ts';

/** SentencePiece's visible space, U+2581. */
export const SPACE = '▁';

/**
 * SentencePiece BPE with byte fallback (`tokenizer.ggml.model` "llama"), as the converter of
 * transformers builds it for Llama 2.
 *
 * @throws LorafaError `model.tokenizer` when there is not one score for each token.
 */
export function sentencePieceBpe(vocabulary: GgufVocabulary): TokenizerPipeline {
  const { metadata, tokens, vocab } = vocabulary;
  const prefixed = metadata.boolean('tokenizer.ggml.add_space_prefix') ?? true;
  const unknown = metadata.number('tokenizer.ggml.unknown_token_id');
  const showSpaces: JsonObject = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };
  const prefix: JsonObject = { type: 'Prepend', prepend: SPACE };
  const strip: JsonObject = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    normalizer: prefixed ? { type: 'Sequence', normalizers: [prefix, showSpaces] } : showSpaces,
    preTokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [strip] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown === undefined ? null : (tokens[unknown] ?? null),
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab,
      merges: mergesFromScores(vocabulary),
    },
    addsBosByDefault: true,
  };
}

/**
 * The merges that build the pieces of a SentencePiece vocabulary. SentencePiece always joins the two
 * neighbours whose joint piece has the highest score, so every way to cut a piece into two pieces is
 * a merge with the rank of that score.
 */
function mergesFromScores({ metadata, tokens, vocab, fail }: GgufVocabulary): [string, string][] {
  const scores = metadata.numbers('tokenizer.ggml.scores') ?? [];
  if (scores.length !== tokens.length) throw fail('there is not one score for each token');
  const merges: { pair: [string, string]; score: number; ids: [number, number] }[] = [];
  for (const [id, token] of tokens.entries()) {
    const characters = [...token];
    let cut = 0;
    for (const character of characters.slice(0, -1)) {
      cut += character.length;
      const pair: [string, string] = [token.slice(0, cut), token.slice(cut)];
      if (!Object.hasOwn(vocab, pair[0]) || !Object.hasOwn(vocab, pair[1])) continue;
      merges.push({ pair, score: scores[id]!, ids: [vocab[pair[0]]!, vocab[pair[1]]!] });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]);
  return merges.map(({ pair }) => pair);
}
