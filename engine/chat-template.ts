import { Template } from '@huggingface/jinja';
import { LorafaError, messageOf } from './errors.ts';

/** One turn of a conversation; further keys (`tool_calls`, `name`, …) are seen by the template. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string | null;
  readonly [key: string]: unknown;
}

/** How a conversation is rendered. */
export interface RenderOptions {
  /** End with the header that makes the model answer, as before generation. */
  readonly addGenerationPrompt: boolean;
  /** What the template takes for today; default: now. Training gives one, so that a resumed run sees the same text. */
  readonly date?: Date;
}

/**
 * Gives templates our clock: the library's own cannot be set, and no name can be declared twice.
 * Jinja drops the line break behind a statement, so the template itself stays as it is.
 */
const PREAMBLE = '{% set strftime_now = lorafa_strftime %}\n';

/**
 * A model's Jinja chat template, rendered in a sandbox (an interpreter without access to the
 * machine) with the variables that transformers' `apply_chat_template` offers.
 */
export class ChatTemplate {
  readonly #template: Template;
  readonly #specialTokens: Readonly<Record<string, string>>;
  readonly #source: string;

  /**
   * @param specialTokens the variables `bos_token`, `eos_token` and the like, as text.
   * @param source the file it came from, for errors.
   * @throws LorafaError `data.chat_template` when the template is not valid Jinja.
   */
  constructor(text: string, specialTokens: Readonly<Record<string, string>>, source: string) {
    try {
      this.#template = new Template(PREAMBLE + text);
    } catch (error) {
      throw new LorafaError(
        'data.chat_template',
        `The chat template of ${source} is not valid Jinja (${messageOf(error)}); correct it or take the model's original files.`,
        { location: { file: source }, cause: error },
      );
    }
    this.#specialTokens = specialTokens;
    this.#source = source;
  }

  /**
   * The conversation as the text that the model reads.
   *
   * @throws LorafaError `data.chat_template` when the template refuses the conversation.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions): string {
    const date = options.date ?? new Date();
    try {
      return this.#template.render({
        ...this.#specialTokens,
        messages,
        add_generation_prompt: options.addGenerationPrompt,
        tools: null,
        documents: null,
        lorafa_strftime: (format: string) => formatDate(date, format),
      });
    } catch (error) {
      throw new LorafaError(
        'data.chat_template',
        `The chat template of ${this.#source} refused a conversation (${messageOf(error)}); correct the turns or their order.`,
        { location: { file: this.#source }, cause: error },
      );
    }
  }
}

const MONTHS =
  'January February March April May June July August September October November December'.split(
    ' ',
  );
const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** The directives of C's strftime that chat templates use, in local time; others stay as written. */
function formatDate(date: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const month = MONTHS[date.getMonth()]!;
  const weekday = WEEKDAYS[date.getDay()]!;
  const directives: Readonly<Record<string, string>> = {
    '%Y': String(date.getFullYear()),
    '%m': two(date.getMonth() + 1),
    '%d': two(date.getDate()),
    '%B': month,
    '%b': month.slice(0, 3),
    '%A': weekday,
    '%a': weekday.slice(0, 3),
    '%H': two(date.getHours()),
    '%M': two(date.getMinutes()),
    '%S': two(date.getSeconds()),
    '%%': '%',
  };
  return format.replace(/%./g, (directive) => directives[directive] ?? directive);
}
