import type { Command } from 'commander';
import { letThreadsSpin } from '../../../engine/runtime/onednn-threads.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { type GenerationFlags, generationOptions, toPrompt } from '../generation-flags.ts';
import { withInterrupt } from '../interrupt.ts';
import { localPath } from '../local-path.ts';
import { printJson, printPiece, printText } from '../print.ts';
import { type PromptFlags, readPrompt } from '../prompt-input.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';
import { collect, numberOption } from './options.ts';

interface GenerateFlags extends PromptFlags, GenerationFlags {
  readonly adapter?: string;
  readonly quantize?: true;
  readonly device: string;
  readonly json?: true;
}

/** Adds `lorafa generate` to the program. */
export function addGenerateCommand(program: Command): void {
  const number = numberOption({}, 'a number');
  program
    .command('generate')
    .summary('let a model write')
    .description('Continue a prompt, or answer it, with a base model and, if given, an adapter.')
    .argument(
      '<model>',
      'folder or .gguf file of the base model, or its name on the Hugging Face Hub',
    )
    .option('--adapter <folder>', 'adapter (PEFT format) on top of the model')
    .option('--quantize', '4-bit (NF4) weights of the model')
    .option('--prompt <text>', 'the prompt')
    .option('--prompt-file <file>', 'read the prompt from a file (neither: from standard input)')
    .option('--chat', 'answer the prompt as a user turn (default where there is a chat template)')
    .option('--raw', 'continue the prompt as it is written')
    .option('--max-new-tokens <count>', 'tokens to write at most (default: 256)', number)
    .option('--temperature <value>', '0 always takes the likeliest token (default: 0)', number)
    .option('--top-p <share>', 'sample from the likeliest tokens up to this share', number)
    .option('--top-k <count>', 'sample from this many likeliest tokens', number)
    .option('--repetition-penalty <value>', 'above 1: avoid tokens that came before', number)
    .option('--seed <number>', 'the same seed samples the same text (default: 0)', number)
    .option('--stop <text>', 'end before this text; may be given more than once', collect)
    .option('--device <device>', 'auto, cpu, cuda, cuda:N or webgpu', 'auto')
    .option('--json', 'print one JSON object when the text is complete')
    .action((model: string, flags: GenerateFlags) =>
      runCommand(flags.json === true, () => generate(model, flags)),
    );
}

async function generate(modelPath: string, flags: GenerateFlags): Promise<void> {
  const { stdout, stderr } = process;
  const text = await readPrompt(flags);
  const location = await localPath(modelPath, 'model');
  const engine = await loadEngine();
  const nf4 = flags.quantize === true ? { doubleQuant: false } : null;
  const found = await engine.chooseDevice(flags.device);
  const device = await engine.generationDevice(flags.device, found, location, nf4);
  const report = stderrProgress();
  const progress = (task: string) => (done: number, total: number) =>
    report({ type: 'progress', task, done, total });
  const model = await engine.openBaseModel(location, {
    quantization: await engine.generationQuantization(device, nf4),
    onUnpack: progress('unpacking weights'),
    onQuantize: progress('quantizing weights'),
  });
  const own = engine.loadTokenizer(model.tokenizer, model.config);
  const adapter =
    flags.adapter === undefined
      ? null
      : await engine.loadAdapter(await localPath(flags.adapter, 'adapter'), model.config);
  if (adapter !== null) {
    printText(stderr, `adapter: ${adapter.matched} of ${adapter.total} modules matched`);
  }
  const template = adapter?.chatTemplate;
  const tokenizer = template === undefined ? own : own.withChatTemplate(template);
  const prompt = toPrompt(text, tokenizer.chatTemplate !== null, flags);
  letThreadsSpin();
  const generator = await engine.openGenerator(model, tokenizer, { device, adapter });
  const abort = new AbortController();
  const result = await withInterrupt(
    () => abort.abort(),
    () =>
      generator.complete(prompt, generationOptions(flags), {
        adapter,
        signal: abort.signal,
        ...(flags.json !== true && { onToken: (piece) => printPiece(stdout, piece.text) }),
      }),
  );
  await generator.release();
  if (flags.json === true) printJson(stdout, result);
  else printPiece(stdout, '\n');
  if (result.finishReason === 'abort') process.exitCode = INTERRUPTED;
}

/** What needs ONNX Runtime, whose native library takes a while to load, comes in only here. */
async function loadEngine() {
  const [generator, weights, devices, baseModel, tokenizer, lora, choice] = await Promise.all([
    import('../../../engine/generate/generator.ts'),
    import('../../../engine/generate/generation-quantization.ts'),
    import('../../../engine/runtime/devices.ts'),
    import('../../../engine/models/base-model.ts'),
    import('../../../engine/tokenizer/tokenizer.ts'),
    import('../../../engine/lora/load-adapter.ts'),
    import('../../../engine/generate/generation-device.ts'),
  ]);
  return { ...generator, ...weights, ...devices, ...baseModel, ...tokenizer, ...lora, ...choice };
}
