import type { HubRepository } from './repositories.ts';

/**
 * The repositories that a list of the Hub names, those that are downloaded most first, with the
 * fields that are asked for: `search` looks in the name, and every `filter` is a tag.
 */
export function found(
  repositories: readonly HubRepository[],
  question: URLSearchParams,
): readonly object[] {
  const text = (question.get('search') ?? '').toLowerCase();
  const filters = question.getAll('filter');
  const fields = new Set(['_id', 'id', ...question.getAll('expand')]);
  return repositories
    .filter(({ name }) => name.toLowerCase().includes(text))
    .filter((repository) => filters.every((tag) => tagsOf(repository).includes(tag)))
    .toSorted((a, b) => b.downloads - a.downloads)
    .map((repository) =>
      Object.fromEntries(Object.entries(describe(repository)).filter(([key]) => fields.has(key))),
    );
}

function describe(repository: HubRepository): object {
  const { kind, name, commit, access, downloads } = repository;
  return {
    _id: commit.slice(0, 24),
    id: name,
    private: access === 'private',
    gated: access === 'gated' ? 'manual' : false,
    downloads,
    likes: 1,
    lastModified: '2024-01-01T00:00:00.000Z',
    tags: tagsOf(repository),
    ...(kind === 'model' && { pipeline_tag: 'text-generation', ...modelFields(repository) }),
  };
}

function tagsOf({ kind, tags, files }: HubRepository): readonly string[] {
  const has = (extension: string): boolean =>
    [...files.keys()].some((file) => file.endsWith(extension));
  if (kind === 'dataset') return tags;
  const own = ['safetensors', 'gguf'].filter((format) => has(`.${format}`));
  return [...own, 'text-generation', ...tags];
}

/** What the Hub reads of a model: its configuration, and how many numbers its weights have. */
function modelFields({ files }: HubRepository): object {
  const config = files.get('config.json');
  const weights = files.get('model.safetensors');
  const gguf = [...files.values()].find(({ path }) => path.endsWith('.gguf'));
  return {
    ...(gguf !== undefined && { gguf: { architecture: architectureOf(gguf.content) } }),
    ...(config !== undefined && { config: JSON.parse(String(config.content)) }),
    ...(weights !== undefined && { safetensors: countNumbers(weights.content) }),
  };
}

function architectureOf(gguf: Buffer): string {
  return ['llama', 'qwen2', 'qwen3'].find((name) => gguf.includes(name)) ?? 'unknown';
}

function countNumbers(content: Buffer): object {
  const length = Number(content.readBigUInt64LE());
  const header = JSON.parse(content.toString('utf8', 8, 8 + length)) as Record<
    string,
    { readonly dtype: string; readonly shape: readonly number[] }
  >;
  const parameters: Record<string, number> = {};
  for (const [name, { dtype, shape }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const count = shape.reduce((product, size) => product * size, 1);
    parameters[dtype] = (parameters[dtype] ?? 0) + count;
  }
  return { parameters, total: Object.values(parameters).reduce((sum, count) => sum + count, 0) };
}
