import { z } from 'zod';
import type { JsonObject } from '../json-file.ts';
import { type ConfigFailure, checkKeys } from './check-keys.ts';
import { COMMON_KEYS, type CommonKeys } from './config-keys.ts';
import { ConfigReader } from './config-reader.ts';
import type { DecoderParts, StoredNames } from './decoder-config.ts';
import type { GgufConventions } from './gguf-conventions.ts';
import type { ModuleNames } from './module-names.ts';

/**
 * A family of decoders, declared once. Its graph, its tensors, the layers that can be adapted, its
 * GGUF names and its share of a memory estimate follow from this.
 */
interface FamilyDeclaration<Keys extends z.ZodRawShape> {
  /** Its class in transformers, as `architectures` of a `config.json` names it. */
  readonly className: string;
  readonly modelType: string;
  /** Well-known models of it, for the documentation. */
  readonly models: string;
  /** Beginnings of the names of tensors in published files, and what its modules are called instead. */
  readonly storedNames?: StoredNames;
  /** How GGUF files hold it; null where llama.cpp has no architecture for it. */
  readonly gguf: GgufConventions | null;
  /** What its configuration class in transformers says where a `config.json` leaves a key out. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Keys of its `config.json` beside the common ones. */
  readonly keys: Keys;
  /** The common keys, where it has others in their place (transformers' `attribute_map`). */
  readonly commonKeys?: (keys: z.infer<z.ZodObject<Keys>>) => Readonly<Record<string, unknown>>;
  /** The decoder that the keys describe. */
  readonly declare: (
    keys: CommonKeys & z.infer<z.ZodObject<Keys>>,
    reader: ConfigReader,
  ) => DecoderParts;
}

/** A declared family, to read configs with. */
export interface Family
  extends Pick<
    FamilyDeclaration<z.ZodRawShape>,
    'className' | 'modelType' | 'models' | 'storedNames' | 'gguf'
  > {
  /** Whether it is the text part of a model that has others. */
  readonly isPart?: boolean;
  /** Of such a part, the `config.json` that a model of it alone would have. */
  readonly aloneConfig?: (json: JsonObject) => JsonObject;
  /**
   * The keys of a `config.json`, and the decoder that they describe.
   *
   * @param names what its modules are called within another model
   * @throws LorafaError made by `fail`
   */
  read(
    json: object,
    fail: ConfigFailure,
    names?: ModuleNames,
  ): { keys: CommonKeys; parts: DecoderParts };
}

/** Makes a declaration a family; its own keys are known to nobody else. */
export function family<Keys extends z.ZodRawShape>({
  defaults,
  keys: ownKeys,
  commonKeys = () => ({}),
  declare,
  ...names
}: FamilyDeclaration<Keys>): Family {
  const [common, own] = [z.object(COMMON_KEYS), z.object(ownKeys)];
  return {
    ...names,
    read(json, fail, moduleNames) {
      const given = { ...defaults, ...json };
      const ownGiven = checkKeys(own, given, fail);
      const commonGiven = { ...given, ...commonKeys(ownGiven) };
      const keys = { ...checkKeys(common, commonGiven, fail), ...ownGiven };
      return { keys, parts: declare(keys, new ConfigReader(keys, fail, moduleNames)) };
    },
  };
}
