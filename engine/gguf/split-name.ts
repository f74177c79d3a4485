import path from 'node:path';

/** What the name of a part of a GGUF model says, as llama.cpp names them: `NAME-00002-of-00003.gguf`. */
export interface SplitName {
  /** The name of the model. */
  readonly model: string;
  /** Counted from 1. */
  readonly part: number;
  readonly parts: number;
}

const SPLIT_NAME = /^(?<model>.+)-(?<part>\d{5})-of-(?<parts>\d{5})\.gguf$/i;

/** No model has more, and names may be anybody's. */
const MAX_PARTS = 1000;

/** @returns undefined for a name that is none of a part */
export function parseSplitName(name: string): SplitName | undefined {
  const { model, ...numbers } = SPLIT_NAME.exec(name)?.groups ?? {};
  const [part, parts] = [Number(numbers['part']), Number(numbers['parts'])];
  if (model === undefined || part < 1 || part > parts || parts > MAX_PARTS) return undefined;
  return { model, part, parts };
}

/** The name of a part of the same model; `name` is that of any part, or of a model of one file. */
export function nameOfPart(name: string, part: number): string {
  return name.replace(/\d{5}(?=-of-\d{5}\.gguf$)/i, String(part).padStart(5, '0'));
}

/** The names of all parts of a model, of which one is given; only itself for a model of one file. */
export function namesOfParts(name: string): readonly string[] {
  const { parts = 1 } = parseSplitName(name) ?? {};
  return Array.from({ length: parts }, (_, index) => nameOfPart(name, index + 1));
}

/** Whether a file is a GGUF model by its name; of one that was split its first part is. */
export function isGgufModel(name: string): boolean {
  return name.toLowerCase().endsWith('.gguf') && (parseSplitName(name)?.part ?? 1) === 1;
}

/** What a model is called whose file, or one of whose parts, is this one. */
export function ggufModelName(file: string): string {
  return parseSplitName(path.basename(file))?.model ?? path.parse(file).name;
}
