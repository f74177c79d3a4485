import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

/** Who may import from whom: each layer from itself and from those after it. */
const LAYERS = ['media', 'extension', 'server', 'engine'] as const;

/** Names of `node:fs` that change what is on the disk, or have all that does in them. */
const WRITING =
  /^(appendFile|[fl]?(chmod|chown|utimes)|copyFile|cp|createWriteStream|link|mkdir|mkdtemp(Disposable)?|rename|rm|rmdir|symlink|f?truncate|unlink|write|writeFile|writev)(Sync)?$|^(\*|default|promises)$/;

/** What opens a file in any way, also to write. */
const OPENING = /^open(Sync)?$/;

/** Who changes what is on the disk: besides the one who writes files, those who keep the sockets and the time of a lock. */
const WRITERS: ReadonlySet<string> = new Set([
  'engine/files/append.ts',
  'engine/files/atomic-file.ts',
  'engine/files/create-file.ts',
  'engine/files/folders.ts',
  'engine/files/remove.ts',
  'engine/locks/lock-beat.ts',
  'server/rpc/local-socket.ts',
  'server/rpc/socket-folder.ts',
  'server/rpc/sweep-sockets.ts',
]);

/** Who opens files otherwise, to read them. */
const READERS: readonly string[] = [
  'engine/formats/tensor-data.ts',
  'engine/plain-file.ts',
  'engine/runtime/shared-file.ts',
  'engine/runtime/whole-library.ts',
];

/** One import of a source file. */
interface Import {
  readonly from: string;
  /** A file of the project, or the name of a package. */
  readonly to: string;
  /** Names that are imported as values, or `*` for all; a type is gone when the program runs. */
  readonly values: readonly string[];
  /** Whether it is loaded only when it is needed, which makes no circle when programs start. */
  readonly isLate: boolean;
}

/** The code is formatted, so that each import begins a line and its names stand between braces. */
const STATEMENT = /^(?:import|export) (?<type>type )?(?<names>[^;'"]*?) ?from '(?<to>[^']+)';$/gm;
const EFFECT = /^import '(?<to>[^']+)';$/gm;
const CALL = /\b(?:import|require)\('(?<to>[^']+)'\)/g;

const IMPORTS: readonly Import[] = LAYERS.flatMap(sourcesOf).flatMap(importsOf);

test('layers know only those below them', () => {
  const layerOf = (file: string): number =>
    (LAYERS as readonly string[]).indexOf(file.split('/')[0]!);
  const wrong = IMPORTS.filter(({ from, to }) => layerOf(to) >= 0 && layerOf(to) < layerOf(from));
  expect(wrong.map(arrow)).toEqual([]);
});

test('the extension and its pages compute nothing: no value comes from the engine', () => {
  // The demo's model is made by a program of its own, when this project is built.
  const wrong = IMPORTS.filter(
    ({ from, to, values }) =>
      /^(media\/(?!demo\/)|extension\/)/.test(from) &&
      to.startsWith('engine/') &&
      values.length > 0,
  );
  expect(wrong.map(arrow)).toEqual([]);
});

test('one file loads ONNX Runtime, and one writes', () => {
  const native = IMPORTS.filter(({ to }) => to === 'koffi').map(({ from }) => from);
  expect(native).toEqual([
    'engine/runtime/c-api.ts',
    'engine/runtime/c-texts.ts',
    'engine/runtime/cuda-runtime.ts',
    'engine/runtime/custom-ops.ts',
    'engine/runtime/map-file.ts',
    'engine/runtime/nvidia-libraries.ts',
    'engine/runtime/onednn-api.ts',
    'engine/runtime/own-memory.ts',
    'engine/runtime/replace-process.ts',
  ]);
  const loaders = IMPORTS.filter(({ to, values }) => to.endsWith('/c-api.ts') && values.length > 0);
  expect(loaders.map(({ from }) => from)).toEqual(['engine/runtime/onnx-runtime.ts']);
  const writers = IMPORTS.filter(
    ({ to, values }) => /^node:fs/.test(to) && values.some((name) => WRITING.test(name)),
  );
  expect(new Set(writers.map(({ from }) => from))).toEqual(WRITERS);
  const openers = IMPORTS.filter(
    ({ from, to, values }) =>
      /^node:fs/.test(to) && values.some((name) => OPENING.test(name)) && !WRITERS.has(from),
  );
  expect(openers.map(({ from }) => from).toSorted()).toEqual(READERS);
});

test('through VS Code the extension writes what a user saves, exports or begins with', () => {
  const writing = /workspace\s*\.fs\s*\.(copy|createDirectory|delete|rename|writeFile)\b/;
  const wrong = sourcesOf('extension').filter((file) => writing.test(readFileSync(file, 'utf8')));
  expect(wrong.toSorted()).toEqual([
    'extension/config-editor/save-config.ts',
    'extension/runs/run-actions.ts',
    'extension/trash.ts',
    'extension/walkthrough/open-demo.ts',
  ]);
});

test('what an import brings is seen in each of its forms', () => {
  expect(valuesIn('{ a, type B, c as d }')).toEqual(['a', 'c']);
  expect(valuesIn('* as fs')).toEqual(['*']);
  expect(valuesIn('fs, { type Stats, rm }')).toEqual(['*', 'rm']);
});

describe('no circles of values', () => {
  const own = IMPORTS.filter(
    ({ to, values, isLate }) => values.length > 0 && to.endsWith('.ts') && !isLate,
  );

  test('among files', () => {
    expect(circles(own)).toEqual([]);
  });

  test('among the folders of each layer, and the files beside them', () => {
    const folder = (file: string): string => {
      const [layer, name] = file.split('/');
      return `${layer}/${name}`;
    };
    const between = own
      .map(({ from, to }) => ({ from: folder(from), to: folder(to) }))
      .filter(({ from, to }) => from !== to);
    expect(circles(between)).toEqual([]);
  });
});

test('a plan knows nothing of the training of it, not even types', () => {
  const wrong = IMPORTS.filter(
    ({ from, to }) => from.startsWith('engine/plan/') && to.startsWith('engine/train/'),
  );
  expect(wrong.map(arrow)).toEqual([]);
});

function sourcesOf(layer: string): readonly string[] {
  return readdirSync(layer, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(layer, name));
}

function importsOf(from: string): readonly Import[] {
  const text = readFileSync(from, 'utf8');
  const target = (to: string): string =>
    to.startsWith('.') ? path.posix.join(path.dirname(from), to) : to;
  const statements = [...text.matchAll(STATEMENT)].map(({ groups }) => {
    const { type, names, to } = groups as { type?: string; names: string; to: string };
    const values = type === undefined ? valuesIn(names) : [];
    return { from, to: target(to), values, isLate: false };
  });
  const all = (pattern: RegExp, isLate: boolean): Import[] =>
    [...text.matchAll(pattern)].map(({ groups }) => {
      const to = target(groups!['to']!);
      return { from, to, values: ['*'], isLate };
    });
  return [...statements, ...all(EFFECT, false), ...all(CALL, true)];
}

/** What stands before `from`, without types: `a, { type B, c as d }` brings all (`*`) and c. */
function valuesIn(names: string): readonly string[] {
  const [, before, within = ''] = /^([^{]*)(?:\{([^}]*)\})?$/s.exec(names)!;
  const single = within
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.split(' as ')[0]!);
  return before!.trim() === '' ? single : ['*', ...single];
}

function arrow({ from, to, values }: Import): string {
  return `${from} → ${to} (${values.join(', ')})`;
}

/** The groups in which each can be reached from each other. */
function circles(edges: readonly Pick<Import, 'from' | 'to'>[]): readonly string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to));
  const reached = new Map([...next.keys()].map((start) => [start, reach(start, next)] as const));
  const inCircle = [...next.keys()].filter((node) => reached.get(node)!.has(node));
  const groups = new Map<string, string[]>();
  for (const node of inCircle.toSorted()) {
    const peers = inCircle.filter(
      (other) => reached.get(node)!.has(other) && reached.get(other)!.has(node),
    );
    groups.set(peers.toSorted()[0]!, peers.toSorted());
  }
  return [...groups.values()];
}

function reach(start: string, next: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [...(next.get(start) ?? [])];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...(next.get(node) ?? []));
  }
  return seen;
}
