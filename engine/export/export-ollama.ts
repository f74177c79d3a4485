import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { ensureFolder } from '../files/folders.ts';
import { isJsonObject, type JsonObject } from '../json-file.ts';
import { quote } from '../quote.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import type { ExportOptions, PlannedExport } from './export-format.ts';
import { planGgufOf } from './export-gguf.ts';
import { planGgufAdapterOf } from './export-gguf-adapter.ts';
import { type ExportSource, openExportSource } from './export-source.ts';
import { ollamaTemplate } from './ollama-template.ts';

const MODEL_FILE = 'model.gguf';
const ADAPTER_FILE = 'adapter.gguf';

/**
 * A folder that `ollama create NAME` is run in: a Modelfile, and the merged model, or the adapter
 * alone, whose base stays where it is.
 *
 * @throws LorafaError as `planGguf` and `planGgufAdapter`; `model.unsupported` and `usage.invalid` for what would end a
 * value of the Modelfile, and be read as other lines of it
 */
export async function planOllama(folder: string, options: ExportOptions): Promise<PlannedExport> {
  const source = await openExportSource(folder, options);
  const unmerged = options.unmerged === true;
  if (unmerged && options.dtype === 'q4_k_m') {
    throw new LorafaError(
      'usage.invalid',
      'An adapter beside its base is not written in q4_k_m, which would lose what it has learned; known are f32, f16, bf16, q8_0.',
    );
  }
  const planned = unmerged
    ? await planGgufAdapterOf(source, options)
    : await planGgufOf(source, options);
  const file = unmerged ? ADAPTER_FILE : MODEL_FILE;
  const from = unmerged
    ? [`FROM ${lineOf(path.resolve(source.base.path))}`, `ADAPTER ./${file}`]
    : [`FROM ./${file}`];
  const { lines, notes } = modelfile(source);
  return {
    ...planned,
    write: async (target, progress) => {
      await ensureFolder(target);
      await planned.write(path.join(target, file), progress);
      await writeFileAtomic(path.join(target, 'Modelfile'), [...from, ...lines, ''].join('\n'));
    },
    check: async (target, progress) => [
      ...(await planned.check(path.join(target, file), progress)),
      ...notes,
    ],
  };
}

/** What Ollama calls that of which a `generation_config.json` speaks. */
const PARAMETERS = {
  temperature: 'temperature',
  top_p: 'top_p',
  top_k: 'top_k',
  min_p: 'min_p',
  repetition_penalty: 'repeat_penalty',
} as const;

function modelfile({ tokenizer: files, base }: ExportSource): {
  readonly lines: readonly string[];
  readonly notes: readonly string[];
} {
  const tokenizer = loadTokenizer(files, base.config);
  const template = ollamaTemplate(tokenizer, textOf(files.tokenizerConfig['bos_token']));
  const stops = tokenizer.eosIds.map(
    (id) => `PARAMETER stop ${quoted(tokenizer.tokenText(id), 'The end token')}`,
  );
  return {
    lines: [
      ...(template === undefined ? [] : [`TEMPLATE ${quoted(template, 'The template')}`]),
      ...stops,
      ...parametersOf(files.generationConfig),
    ],
    notes: template === undefined ? [withoutTemplate(tokenizer)] : [],
  };
}

/** A token is named by its text, or by an object with it and its flags. */
function textOf(token: unknown): string {
  const text = isJsonObject(token) ? token['content'] : token;
  return typeof text === 'string' ? text : '';
}

function withoutTemplate({ chatTemplate }: Tokenizer): string {
  return chatTemplate === null
    ? 'The model has no chat template, so that Ollama lets it go on from what is typed.'
    : 'The Modelfile has no TEMPLATE, for the chat template is of none of the kinds that are translated: Ollama reads that of the GGUF file itself.';
}

function parametersOf(config: JsonObject | null): readonly string[] {
  return Object.entries(PARAMETERS).flatMap(([key, name]) => {
    const value = config?.[key];
    return typeof value === 'number' ? [`PARAMETER ${name} ${value}`] : [];
  });
}

/** A value of a Modelfile, which may have several lines. @throws LorafaError `model.unsupported` */
function quoted(text: string, what: string): string {
  if (!/["\r\n]/.test(text)) return `"${text}"`;
  if (!/"""|"$/.test(text)) return `"""${text}"""`;
  throw new LorafaError(
    'model.unsupported',
    `${what} ${quote(text)} cannot stand in a Modelfile, where """ ends a text; export the model as gguf.`,
  );
}

/** A path in a Modelfile, which goes to the end of its line. @throws LorafaError `usage.invalid` */
function lineOf(place: string): string {
  if (!/[\r\n]/.test(place)) return place;
  throw new LorafaError(
    'usage.invalid',
    `The path of the base model, ${quote(place)}, has a line break, which cannot stand in a Modelfile; rename it, or leave --no-merge out.`,
  );
}
