import { parse, tokenize } from '@huggingface/jinja';
import { BoundedInterpreter, TemplateTooLarge, templateGlobals } from '../bounded-interpreter.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { secondsFor, TEXT_SECONDS, type TimeLimit, withinTime } from '../time-limit.ts';

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

/** Characters of a template; the longest published ones have some 30,000. */
const MAX_TEMPLATE = 2 ** 20;

/**
 * A model's Jinja chat template, rendered in a sandbox (an interpreter without access to the
 * machine) with the variables that transformers' `apply_chat_template` offers.
 */
export class ChatTemplate {
  readonly #program: ReturnType<typeof parse>;
  readonly #specialTokens: Readonly<Record<string, string>>;
  readonly #source: string;
  readonly #seconds: number;

  /**
   * @param specialTokens the variables `bos_token`, `eos_token` and the like, as text.
   * @param source the file it came from, for errors.
   * @param seconds what the shortest conversation may take.
   * @throws LorafaError `data.chat_template` when the template is not valid Jinja.
   */
  constructor(
    text: string,
    specialTokens: Readonly<Record<string, string>>,
    source: string,
    seconds = TEXT_SECONDS,
  ) {
    try {
      if (text.length > MAX_TEMPLATE) {
        throw new Error(`${text.length} characters, where no template has ${MAX_TEMPLATE}`);
      }
      this.#program = parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true }));
    } catch (error) {
      throw new LorafaError(
        'data.chat_template',
        `The chat template of ${source} is not valid Jinja (${messageOf(error)}); correct it or take the model's original files.`,
        { location: { file: source }, cause: error },
      );
    }
    this.#specialTokens = specialTokens;
    this.#source = source;
    this.#seconds = seconds;
  }

  /**
   * The conversation as the text that the model reads.
   *
   * @throws LorafaError `data.chat_template` when the template refuses the conversation or makes
   * more of it than memory holds; TimeLimitError of that code when it does not come to an end.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions): string {
    return withinTime(this.limit(textLength(messages)), () => this.#render(messages, options));
  }

  /** How long a conversation of this many characters may take. */
  limit(characters: number): TimeLimit {
    return {
      seconds: secondsFor(characters, this.#seconds),
      code: 'data.chat_template',
      subject: `The chat template of ${this.#source}`,
      advice: "correct it or take the model's original files",
      file: this.#source,
    };
  }

  #render(messages: readonly ChatMessage[], options: RenderOptions): string {
    const date = options.date ?? new Date();
    try {
      const environment = templateGlobals((format) => formatDate(date, format));
      const variables = {
        ...this.#specialTokens,
        messages,
        add_generation_prompt: options.addGenerationPrompt,
        tools: null,
        documents: null,
      };
      for (const [name, value] of Object.entries(variables)) environment.set(name, value);
      return String(new BoundedInterpreter(environment).run(this.#program).value);
    } catch (error) {
      // A RangeError: a text longer than any can be, or a call within too many others.
      const isTooLarge = error instanceof TemplateTooLarge || error instanceof RangeError;
      const what = isTooLarge
        ? `makes more than any conversation needs (${error.message}); correct it or take the model's original files`
        : `refused a conversation (${messageOf(error)}); correct the turns or their order`;
      throw new LorafaError('data.chat_template', `The chat template of ${this.#source} ${what}.`, {
        location: { file: this.#source },
        cause: error,
      });
    }
  }
}

/** Characters of a conversation, as far as they are plain text. */
export function textLength(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
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
