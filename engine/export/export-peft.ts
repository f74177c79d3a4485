import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isHubInput } from '../config/resolve-paths.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from '../lora/adapter.ts';
import { requireWholeAdapter } from '../lora/load-adapter.ts';
import { copyAdapter } from '../lora/save-adapter.ts';
import { quote } from '../quote.ts';
import { checkTensors } from './check-export.ts';
import { EXPORT_DTYPES_OF, type ExportOptions, type PlannedExport } from './export-format.ts';
import { namedBase, requireWholeCheckpoint } from './export-source.ts';
import { matrixDtype } from './merged-tensors.ts';
import { type ModelTensor, storedTensor, valuesIn } from './model-tensor.ts';
import { filesOf } from './source-files.ts';

/**
 * The adapter in PEFT's format, copied without what only training needs. Its base need not be there.
 *
 * @throws LorafaError `adapter.not_found`, `adapter.corrupt`, `adapter.unsupported`, `checkpoint.corrupt`
 */
export async function planPeft(
  folder: string,
  { beside = [] }: ExportOptions = {},
): Promise<PlannedExport> {
  await requireWholeCheckpoint(folder);
  const base = await namedBase(folder);
  const places = [...(await requireWholeAdapter(folder)).values()];
  const tensors = places.map(storedTensor);
  const { size } = await stat(path.join(folder, ADAPTER_WEIGHTS_FILE));
  return {
    bytes: size,
    tensors: tensors.length,
    values: valuesIn(tensors),
    modules: tensors.length / 2,
    sources: filesOf(places),
    dtype: EXPORT_DTYPES_OF[matrixDtype(tensors)],
    write: async (target, progress) => {
      await copyAdapter(folder, target);
      for (const { name, content } of beside) {
        await writeFileAtomic(path.join(target, name), content);
      }
      progress(size);
    },
    check: async (target, progress) => {
      await checkTensors(target, tensors, await adapterTensors(target), progress);
      return base === null || isHubInput(base) ? [] : [baseHere(base)];
    },
  };
}

/** The path stays, by which programs here find the base; those who are given the folder read it too. */
function baseHere(base: string): string {
  return `${ADAPTER_CONFIG_FILE} names the base model by its place, ${quote(base)}; write its name there (base_model_name_or_path) before you give the folder to others, or push it, which does so.`;
}

async function adapterTensors(folder: string): Promise<readonly ModelTensor[]> {
  const file = path.join(folder, ADAPTER_WEIGHTS_FILE);
  const codes = { notFound: 'adapter.not_found', corrupt: 'adapter.corrupt' } as const;
  return [...(await openSafetensors(file, codes)).tensors.values()].map(storedTensor);
}
