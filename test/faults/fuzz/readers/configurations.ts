import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { refusal } from '../../../../engine/config/jsonc-tree.ts';
import { readConfig } from '../../../../engine/config/parse.ts';
import { LorafaError } from '../../../../engine/errors.ts';
import { configActions } from '../../../../server/language/config-actions.ts';
import { configDiagnostics } from '../../../../server/language/config-diagnostics.ts';
import { configHints } from '../../../../server/language/config-hints.ts';
import { createConfigLanguage } from '../../../../server/language/config-language.ts';
import type { FuzzedReader } from '../reader.ts';

const CONFIG = {
  model: { base_model_name_or_path: './models/tiny', quantization: 'nf4', use_double_quant: true },
  data: {
    dataset_name_or_path: ['rows.jsonl[:10]', 'more.csv'],
    eval_split: 0.1,
    prompt_template: 'Q: {question}\n',
    completion_template: '{answer}',
    max_length: 128,
  },
  lora: {
    r: 8,
    target_modules: ['q_proj', 'v_proj'],
    layers_to_transform: [0, 1],
    rank_pattern: { 'layers\\.0\\..*': 4 },
    alpha_pattern: { q_proj: 2 },
  },
  training: {
    output_dir: 'out',
    method: 'lorafa',
    num_train_epochs: 2,
    lr_scheduler_type: 'cosine_with_min_lr',
    lr_scheduler_kwargs: { min_lr_rate: 0.1 },
    sample_prompts: ['Hello'],
    resume_from_checkpoint: 'latest',
  },
  engine: { device: 'cpu', compute: 'float32' },
};

const WITH_COMMENTS = `// A run.
{
  "model": { "base_model_name_or_path": "~/models/tiny.gguf" }, /* a file */
  "data": { "dataset_name_or_path": "org/name", "format": "text" },
  "training": { "output_dir": "out", "max_steps": 10, "max_steps": 10, },
}
`;

/** Run configurations, on the command line and in the editor. */
export const configurationReaders: readonly FuzzedReader[] = [
  {
    name: 'run configuration',
    kind: 'json',
    prepare: async (folder) => {
      const file = path.join(folder, 'run.lorafa.json');
      return {
        file,
        seeds: [JSON.stringify(CONFIG), JSON.stringify(CONFIG, null, 2)].map((text) =>
          Buffer.from(text),
        ),
        read: async () => void (await readConfig(file)),
      };
    },
  },
  {
    name: 'run configuration in the editor',
    kind: 'bytes',
    prepare: async (folder) => {
      const file = path.join(folder, 'run.lorafa.json');
      const language = createConfigLanguage();
      return {
        file,
        seeds: [JSON.stringify(CONFIG, null, 2), WITH_COMMENTS].map((text) => Buffer.from(text)),
        read: async () => {
          const text = await readFile(file, 'utf8');
          const document = TextDocument.create(pathToFileURL(file).href, 'jsonc', 1, text);
          const diagnostics = configDiagnostics(document, 'lorafa', [
            {
              path: ['model'],
              part: 'value',
              message: 'x',
              severity: 'warning',
              code: 'model.corrupt',
            },
          ]);
          if (refusal(text) !== undefined) return;
          configActions(document, diagnostics);
          const whole = { start: document.positionAt(0), end: document.positionAt(text.length) };
          configHints(document, whole, { findings: [] });
          const middle = document.positionAt(Math.floor(text.length / 2));
          await language.complete(document, middle);
          await language.hover(document, middle);
          await readConfig(file).catch((error: unknown) => {
            if (!(error instanceof LorafaError)) throw error;
          });
        },
      };
    },
  },
];
