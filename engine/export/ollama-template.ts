import { LorafaError } from '../errors.ts';
import type { ChatMessage } from '../tokenizer/chat-template.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** A well-known way to write conversations. */
interface TemplateKind {
  /** As Ollama has it: a template of Go's `text/template` over `.Messages` and `.System`. */
  readonly go: string;
  /** The same here, for conversations that may begin with a system turn, and end before an answer. */
  readonly render: (turns: readonly Turn[]) => string;
}

interface Turn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Every turn in the same way, with its role. */
function uniform(
  turn: (role: string, content: string) => string,
  assistant = 'assistant',
): TemplateKind {
  const open = turn(assistant, '\0').split('\0')[0]!;
  const role = '{{ .Role }}';
  return {
    go: `{{ range .Messages }}${turn(role, '{{ .Content }}')}{{ end }}${open}`,
    render: (turns) => turns.map(({ role: each, content }) => turn(each, content)).join('') + open,
  };
}

/** Turns of users and answers alone; what the system says stands before what a user says. */
function pairs(
  user: (content: string) => string,
  answer: (content: string) => string,
  { systemIn, answerBegins = '' }: { systemIn: 'first' | 'last'; answerBegins?: string },
): TemplateKind {
  const content = '{{ .Content }}';
  const goSystem =
    systemIn === 'first'
      ? '{{ if $system }}{{ $system }}\n\n{{ $system = "" }}{{ end }}'
      : '{{ if and $.System (eq (len (slice $.Messages $index)) 1) }}{{ $.System }}\n\n{{ end }}';
  return {
    go: [
      systemIn === 'first'
        ? '{{ $system := .System }}{{ range .Messages }}'
        : '{{ range $index, $_ := .Messages }}',
      `{{ if eq .Role "user" }}${user(`${goSystem}${content}`)}`,
      `{{ else if eq .Role "assistant" }}${answer(content)}{{ end }}{{ end }}${answerBegins}`,
    ].join(''),
    render: (turns) => {
      const system = turns.find(({ role }) => role === 'system')?.content;
      const users = turns.filter(({ role }) => role === 'user');
      const withSystem = systemIn === 'first' ? users[0] : users.at(-1);
      return (
        turns
          .filter(({ role }) => role !== 'system')
          .map((turn) => {
            if (turn.role === 'assistant') return answer(turn.content);
            const isWith = turn === withSystem && system !== undefined;
            return user(isWith ? `${system}\n\n${turn.content}` : turn.content);
          })
          .join('') + answerBegins
      );
    },
  };
}

const GEMMA_ANSWER = '<start_of_turn>model\n';

export const TEMPLATE_KINDS: readonly TemplateKind[] = [
  // ChatML: Qwen, SmolLM, Yi.
  uniform((role, content) => `<|im_start|>${role}\n${content}<|im_end|>\n`),
  // Llama 3.
  uniform((role, content) => `<|start_header_id|>${role}<|end_header_id|>\n\n${content}<|eot_id|>`),
  // Phi 3.
  uniform((role, content) => `<|${role}|>\n${content}<|end|>\n`),
  // Phi 4.
  uniform((role, content) => `<|im_start|>${role}<|im_sep|>${content}<|im_end|>`),
  // Zephyr, TinyLlama.
  uniform((role, content) => `<|${role}|>\n${content}</s>\n`),
  // Granite 3.
  uniform((role, content) => `<|start_of_role|>${role}<|end_of_role|>${content}<|end_of_text|>\n`),
  // Gemma.
  pairs(
    (content) => `<start_of_turn>user\n${content}<end_of_turn>\n`,
    (content) => `${GEMMA_ANSWER}${content}<end_of_turn>\n`,
    { systemIn: 'first', answerBegins: GEMMA_ANSWER },
  ),
  // Mistral 7B, first and third version.
  pairs(
    (content) => `[INST] ${content} [/INST]`,
    (content) => ` ${content}</s>`,
    { systemIn: 'first' },
  ),
  pairs(
    (content) => `[INST] ${content}[/INST]`,
    (content) => ` ${content}</s>`,
    { systemIn: 'last' },
  ),
];

const SYSTEM: Turn = { role: 'system', content: 'Be brief.' };
const TURNS: readonly Turn[] = [
  { role: 'user', content: 'One?' },
  { role: 'assistant', content: 'Two.' },
  { role: 'user', content: 'Three?' },
];

/**
 * The chat template of a tokenizer as Ollama writes templates, if it is of a well-known kind: if a
 * conversation, with a system turn and without, is the same text. A template that refuses system turns
 * may be of any.
 *
 * @param bos the text of the token that begins a text, which Ollama puts there itself where the tokenizer
 * wants it
 * @returns undefined for none, or where there is no template
 */
export function ollamaTemplate(tokenizer: Tokenizer, bos: string): string | undefined {
  const bare = rendered(tokenizer, TURNS);
  if (bare === undefined) return undefined;
  const withSystem = rendered(tokenizer, [SYSTEM, ...TURNS]);
  const begin = bos !== '' && bare.startsWith(bos) ? bos : '';
  const kind = TEMPLATE_KINDS.find(
    ({ render }) =>
      begin + render(TURNS) === bare &&
      (withSystem === undefined || begin + render([SYSTEM, ...TURNS]) === withSystem),
  );
  return kind && (tokenizer.bosId === null ? begin : '') + kind.go;
}

function rendered(tokenizer: Tokenizer, turns: readonly Turn[]): string | undefined {
  if (tokenizer.chatTemplate === null) return undefined;
  try {
    const messages: ChatMessage[] = turns.map((turn) => ({ ...turn }));
    return tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true });
  } catch (error) {
    if (error instanceof LorafaError) return undefined;
    throw error;
  }
}
