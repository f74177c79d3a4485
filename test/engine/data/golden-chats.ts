import type { Conversation } from '../../../engine/data/chat-segments.ts';
import { parseMessages } from '../../../engine/data/messages.ts';
import { parseTools } from '../../../engine/data/tools.ts';
import { readJsonFile } from '../../../engine/json-file.ts';
import { loadTokenizer, type Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { goldenPath } from '../../support/golden.ts';
import { NO_IDS } from '../tokenizer/tiny-tokenizer.ts';

/** A row as data files hold it. */
interface ChatRow {
  readonly messages: unknown;
  readonly tools?: unknown;
}

/** What `test/reference/chats.py` makes. */
export interface GoldenChats {
  readonly templates: Readonly<Record<string, string>>;
  readonly rows: Readonly<Record<string, ChatRow>>;
  readonly cases: readonly {
    readonly template: string;
    readonly row: string;
    /** Why transformers refuses the row; otherwise it has a text. */
    readonly error?: string;
    readonly text: string;
    /** The text with a generation prompt. */
    readonly prompt: string;
    /** For templates with generation blocks. */
    readonly ids?: readonly number[];
    readonly mask?: readonly number[];
  }[];
}

let base: Promise<Tokenizer> | undefined;

/** The tokenizer that the golden ids were made with, with a chat template. */
export async function goldenTokenizer(text: string): Promise<Tokenizer> {
  base ??= loadBase();
  return (await base).withChatTemplate({ text, source: 'golden' });
}

async function loadBase(): Promise<Tokenizer> {
  const tokenizerJson = (await readJsonFile(goldenPath('chats', 'tokenizer.json')))!;
  const tokenizerConfig = { bos_token: '<s>', eos_token: '</s>' };
  const files = {
    tokenizerJson,
    tokenizerConfig,
    chatTemplate: null,
    generationConfig: null,
    source: 'golden',
  };
  return loadTokenizer(files, NO_IDS);
}

/** The conversation of a row, as `loadDataset` reads it. */
export function conversationOf({ messages, tools }: ChatRow): Conversation {
  return { messages: parseMessages(messages, 'messages'), tools: parseTools(tools, 'tools') };
}
