import path from 'node:path';
import { type ErrorCode, LorafaError } from '../errors.ts';
import type { FileHead } from '../formats/file-head.ts';
import type { GgufFile } from './gguf.ts';
import { GgufMetadata } from './gguf-metadata.ts';
import { type GgufPart, type GgufTensor, openGgufPart } from './gguf-part.ts';
import { nameOfPart, parseSplitName } from './split-name.ts';

/** Of how many parts a file says that it is one; 1 for a whole model. */
export function partCount(part: GgufPart): number {
  return new GgufMetadata(part).number('split.count') ?? 1;
}

/**
 * Opens all parts of a model, which lie beside each other under the names that llama.cpp gave them.
 * What is not about tensors is in the first one.
 *
 * @param named any of the parts
 * @param heads what is known of files that are not here, by their paths
 * @throws LorafaError `model.not_found` for a part that is missing, `model.corrupt` for parts that do
 * not belong together, and as `openGgufPart`
 */
export async function openSplit(
  named: GgufPart,
  heads: ReadonlyMap<string, FileHead>,
): Promise<GgufFile> {
  const count = partCount(named);
  const { folder, name, part } = placeOf(named, count);
  const parts: GgufPart[] = [];
  for (let number = 1; number <= count; number++) {
    const file = path.join(folder, nameOfPart(name, number));
    const opened =
      number === part
        ? named
        : await openOther(file, heads.get(file), named, `${number} of ${count}`);
    requireNumber(opened, number, count);
    parts.push(opened);
  }
  const { metadata, file } = parts[0]!;
  const files = parts.map((opened) => opened.file);
  return { path: named.path, file, metadata, tensors: tensorsOf(parts), files };
}

/** The tensors of all parts, which have to be as many as each part says. */
function tensorsOf(parts: readonly GgufPart[]): ReadonlyMap<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  const holders = new Map<string, GgufPart>();
  for (const part of parts) {
    for (const [name, tensor] of part.tensors) {
      const holder = holders.get(name);
      if (holder !== undefined) {
        throw corrupt(
          part,
          `holds tensor ${JSON.stringify(name)}, which ${holder.path} holds as well: they are not parts of the same model`,
        );
      }
      holders.set(name, part);
      tensors.set(name, tensor);
    }
  }
  for (const part of parts) {
    const expected = new GgufMetadata(part).number('split.tensors.count') ?? tensors.size;
    if (expected !== tensors.size) {
      throw corrupt(
        part,
        `belongs to a model of ${expected} tensors, but its ${parts.length} parts hold ${tensors.size}; download or copy them again`,
      );
    }
  }
  return tensors;
}

/** Where the parts lie, and what the one that was named is called. */
function placeOf(
  named: GgufPart,
  count: number,
): { readonly folder: string; readonly name: string; readonly part: number } {
  // What the name of a link does not say, that of the file may.
  for (const place of [named.path, named.file]) {
    const name = path.basename(place);
    const split = parseSplitName(name);
    if (split === undefined) continue;
    if (split.parts !== count) {
      throw corrupt(
        named,
        `is one of ${count} parts by its header, and of ${split.parts} by its name`,
      );
    }
    return { folder: path.dirname(place), name, part: split.part };
  }
  throw fail(
    'model.not_found',
    named,
    `is one of ${count} parts, whose names end in -00001-of-${String(count).padStart(5, '0')}.gguf and so on; give all of them the names that they had, and name one`,
  );
}

async function openOther(
  file: string,
  head: FileHead | undefined,
  named: GgufPart,
  number: string,
): Promise<GgufPart> {
  try {
    return await openGgufPart(file, head);
  } catch (error) {
    if (!(error instanceof LorafaError) || error.code !== 'model.not_found') throw error;
    throw new LorafaError(
      'model.not_found',
      `There is no ${file}, which is part ${number} of the model in ${named.path}; all parts have to lie beside each other.`,
      { location: { file }, cause: error },
    );
  }
}

function requireNumber(part: GgufPart, number: number, count: number): void {
  const metadata = new GgufMetadata(part);
  const says = [metadata.number('split.no'), metadata.number('split.count')];
  if (says[0] === number - 1 && says[1] === count) return;
  const header =
    says[0] === undefined || says[1] === undefined
      ? 'is no part by its header'
      : `is part ${says[0] + 1} of ${says[1]} by its header`;
  throw corrupt(
    part,
    `${header}, and part ${number} of ${count} by its name; was it renamed, or does it belong to another model?`,
  );
}

function corrupt(part: GgufPart, cause: string): LorafaError {
  return fail('model.corrupt', part, cause);
}

function fail(code: ErrorCode, { path: file }: GgufPart, cause: string): LorafaError {
  return new LorafaError(code, `${file} ${cause}${cause.endsWith('?') ? '' : '.'}`, {
    location: { file },
  });
}
