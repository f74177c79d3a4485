import type { ConfigPath } from '../../../engine/config/config-error.ts';
import { type Remedy, setValue } from '../../../engine/config/path-problem.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { dataFormat } from '../../../engine/data/data-format.ts';
import { parseDataPath } from '../../../engine/data/data-path.ts';
import { mixedCount } from '../../../engine/data/mix.ts';
import type { DataOptions, RowOptions } from '../../../engine/data/options.ts';
import { formatIssues, type IssueList } from '../../../engine/data/report.ts';
import { sharedRows } from '../../../engine/data/seen-rows.ts';
import { heldOutCount } from '../../../engine/data/split.ts';
import { refuseLarge } from '../../../engine/data/streaming/memory-rows.ts';
import type { TokenizedExample } from '../../../engine/data/tokenized-example.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { isStreamed, trainingSources } from '../../../engine/plan/run-data.ts';
import { TimeLimitError } from '../../../engine/time-limit.ts';
import { COLUMN_KEYS, columnFindings, TEMPLATE_KEYS } from './column-findings.ts';
import { separatorRemedies } from './column-remedies.ts';
import {
  DATA_KEY,
  type Finding,
  type FindingCode,
  finding,
  findingOf,
  MODEL_KEY,
  TEMPLATE_KEY,
} from './finding.ts';
import { type KnownData, SAMPLE_ROWS } from './known-data.ts';
import type { KnownModel } from './known-models.ts';
import { namedInput, type WrittenConfig } from './named-input.ts';

/** What is known of the rows that are trained on, or of those that are held out. */
export interface SplitFacts {
  /** Undefined when a file cannot be read. */
  readonly rows: number | undefined;
  /** Tokens of the longest row that was looked at; undefined when none was. */
  readonly longest: number | undefined;
  /** Tokens of all rows, if they are like those that were looked at; undefined when none was. */
  readonly tokens: number | undefined;
}

/** What the data files of a configuration tell about a run: the rows that are trained on first. */
export interface DataFacts extends SplitFacts {
  /** False where rows were counted and not looked at, so that some may turn out unusable. */
  readonly isExact: boolean;
  /** The rows that are held out; undefined without any. */
  readonly evaluation: SplitFacts | undefined;
}

/** One data file as the configuration names it. */
interface NamedData {
  readonly path: ConfigPath;
  readonly name: string;
}

/** The key that names rows that are held out. */
const HELD_KEY: ConfigPath = ['data', 'eval_dataset_name_or_path'];

/** Looks at the beginning of every data file, as a run would read it. */
export async function inspectData(
  { data }: ResolvedConfig,
  files: KnownData,
  model: KnownModel | undefined,
  written: WrittenConfig,
): Promise<{ readonly findings: readonly Finding[]; readonly facts: DataFacts }> {
  const train = named(data.dataset_name_or_path, DATA_KEY);
  const held = named(data.eval_dataset_name_or_path ?? [], HELD_KEY);
  const sources = trainingSources({ data });
  const findings: Finding[] = [];
  const seen: NamedData[] = [];
  let usable = model;
  const inspect = async (
    names: readonly NamedData[],
    use: 'training' | 'evaluation',
    options: DataOptions = data,
  ): Promise<readonly FileFacts[]> => {
    const found: FileFacts[] = [];
    for (const { path, name } of names) {
      const input = await namedInput(name, use, path, written);
      if (input.paths === undefined) {
        findings.push(input.finding);
        found.push({ ...UNKNOWN, findings: [] });
        continue;
      }
      for (const file of input.paths) {
        const facts = await inspectFile({ path, name: file }, options, files, usable);
        // A model that took too long once is not tried on the next file.
        if (facts.isOverTime === true) usable = undefined;
        findings.push(...facts.findings);
        found.push(facts);
        if (use === 'training' && facts.rows !== undefined) seen.push({ path, name: file });
      }
    }
    return found;
  };
  const trainFiles = await inspect(train, 'training');
  const heldFiles = await inspect(held, 'evaluation');
  const shared = sharedRows(examplesOf(trainFiles), examplesOf(heldFiles));
  findings.push(
    ...issues(HELD_KEY, shared, 'data.shared', 'are held out and learned all the same'),
  );
  const all = splitFacts(trainFiles);
  const evaluated = splitFacts(heldFiles);
  const total = all.rows;
  const rows = total === undefined ? undefined : total - heldOut(data, total);
  const trained = partOf(all, rows !== undefined && rows > 0 ? rows : undefined);
  const mixed: SplitFacts[] = [];
  for (const [index, { dataset_name_or_path: names }] of (data.mix ?? []).entries()) {
    const { options, weight } = sources[index + 1]!;
    const path = ['data', 'mix', index];
    const before = findings.length;
    const set = splitFacts(
      await inspect(named(names, [...path, 'dataset_name_or_path']), 'training', options),
    );
    findings.push(...findings.splice(before).map((each) => ofMixedSet(each, index)));
    const count =
      weight === undefined || trained.rows === undefined
        ? set.rows
        : mixedCount(0, weight, trained.rows);
    mixed.push(partOf(set, count));
  }
  if (total !== undefined && rows !== undefined && rows <= 0 && total > 0) {
    findings.push(
      finding(
        'error',
        ['data', 'eval_split'],
        'config.invalid_value',
        `\`data.eval_split\` would hold back all ${total} rows; choose less, or add rows`,
        [{ kind: 'remove', path: ['data', 'eval_split'] }],
      ),
    );
  }
  findings.push(...(await unstreamable(data, seen)));
  return {
    findings: findings.filter(isFirst),
    facts: {
      ...togetherOf([trained, ...mixed]),
      isExact: all.isExact && mixed.length === 0,
      evaluation:
        held.length > 0
          ? evaluated
          : data.eval_split === undefined
            ? undefined
            : partOf(all, total && heldOut(data, total)),
    },
  };
}

/** Files of data that are streamed, which cannot be and are too large to be kept. */
async function unstreamable(
  data: ResolvedConfig['data'],
  files: readonly NamedData[],
): Promise<readonly Finding[]> {
  if (!(await isStreamed(data, [{ paths: files.map(({ name }) => name) }]))) return [];
  const found: Finding[] = [];
  for (const { path, name } of files) {
    const { file } = parseDataPath(name);
    if (dataFormat(file).open !== undefined) continue;
    try {
      await refuseLarge(file);
    } catch (error) {
      found.push(findingOf(error, path, [setValue(['data', 'streaming'], false)]));
    }
  }
  return found;
}

/** What the rows of several files are like together. */
function splitFacts(files: readonly FileFacts[]): FileSplit {
  return { ...togetherOf(files), isExact: files.every(({ isExact }) => isExact) };
}

function togetherOf(parts: readonly SplitFacts[]): SplitFacts {
  const lengths = parts.flatMap(({ longest }) => longest ?? []);
  return {
    rows: sumOf(parts.map(({ rows }) => rows)),
    longest: lengths.length === 0 ? undefined : Math.max(...lengths),
    tokens: sumOf(parts.map(({ tokens }) => tokens)),
  };
}

/** What was found in a set that is mixed in, whose keys are its own and not those of section `data`. */
function ofMixedSet(found: Finding, index: number): Finding {
  const own = (path: ConfigPath): ConfigPath =>
    path.length === 2 && isRowKey(path[1]) ? ['data', 'mix', index, path[1]!] : path;
  return {
    ...found,
    path: own(found.path),
    message: found.message.replaceAll(/\bdata\.(\w+)/g, (name, key: string) =>
      isRowKey(key) ? `data.mix.${index}.${key}` : name,
    ),
    remedies: (found.remedies ?? []).map((remedy) =>
      remedy.kind === 'set'
        ? {
            ...remedy,
            values: remedy.values.map(({ path, value }) => ({ path: own(path), value })),
            ...(remedy.removes && { removes: remedy.removes.map(own) }),
          }
        : remedy,
    ),
  };
}

function isRowKey(key: unknown): boolean {
  return ROW_KEYS.some((each) => each === key);
}

/** Some of the rows, if they are like all of them. */
function partOf({ rows: all, longest, tokens }: SplitFacts, rows: number | undefined): SplitFacts {
  return { rows, longest, tokens: tokens && all && rows && Math.round((tokens / all) * rows) };
}

interface FileSplit extends SplitFacts {
  readonly isExact: boolean;
}

interface FileFacts extends FileSplit {
  /** The model's own template or expressions did not come to an end. */
  readonly isOverTime?: boolean;
  readonly findings: readonly Finding[];
  /** Those that were looked at, as they are learned. */
  readonly examples?: readonly TokenizedExample[];
}

function examplesOf(files: readonly FileFacts[]): readonly TokenizedExample[] {
  return files.flatMap(({ examples = [] }) => examples);
}

/** Keys that sets that are mixed in have as well. */
const ROW_KEYS: readonly (keyof RowOptions)[] = ['format', ...COLUMN_KEYS, ...TEMPLATE_KEYS];

/** Of a file that cannot be looked at. */
const UNKNOWN = { rows: undefined, isExact: false, longest: undefined, tokens: undefined };

async function inspectFile(
  { path, name }: NamedData,
  data: DataOptions,
  files: KnownData,
  model: KnownModel | undefined,
): Promise<FileFacts> {
  try {
    const { count, rows: beginning } = await files.beginning(name);
    const [first, ...others] = beginning;
    const columns = first === undefined ? [] : columnFindings(data, [first, ...others], path);
    if (columns.length > 0 || model === undefined) {
      return { ...UNKNOWN, findings: columns, rows: count.rows };
    }
    const { report, examples } = await files.sample(name, model, data);
    const isWhole = count.isExact && count.rows <= SAMPLE_ROWS;
    const rows = isWhole ? report.used : count.rows;
    return {
      findings: [
        ...issues(path, report.dropped, 'data.bad_rows', 'cannot be used and will be left out'),
        ...issues(
          path,
          report.neverSupervised,
          'data.no_supervision',
          'hold nothing that could be learned and will be left out',
        ),
        ...issues(path, report.truncated, 'data.truncated', 'are cut at `data.max_length`'),
        ...issues(path, report.duplicates, 'data.duplicates', 'are there more than once'),
        ...issues(path, report.nearlyEmpty, 'data.single_token', 'are learned in a single token'),
        ...issues(
          path,
          report.unseparated,
          'data.unseparated',
          'run from the prompt into the completion',
          first === undefined ? [] : separatorRemedies(data, first),
        ),
      ],
      examples,
      rows,
      isExact: isWhole,
      longest: report.longest,
      tokens: (rows * report.tokens) / report.used,
    };
  } catch (error) {
    const isOverTime = error instanceof TimeLimitError;
    return { ...UNKNOWN, isOverTime, findings: [findingOf(error, placeOf(error, path, data))] };
  }
}

function issues(
  path: ConfigPath,
  list: IssueList,
  code: FindingCode,
  what: string,
  remedies: readonly Remedy[] = [],
): readonly Finding[] {
  if (list.count === 0) return [];
  return [
    finding(
      code === 'data.truncated' ? 'information' : 'warning',
      path,
      code,
      `${list.count} of the first ${SAMPLE_ROWS} rows ${what}: ${formatIssues(list)}`,
      remedies,
    ),
  ];
}

/** Which key is to be corrected: the one that asks for what the rows do not have. */
function placeOf(error: unknown, path: ConfigPath, data: DataOptions): ConfigPath {
  if (!(error instanceof LorafaError)) return path;
  const isOwnTemplate = data.chat_template !== undefined && error.code === 'data.chat_template';
  if (error instanceof TimeLimitError) return isOwnTemplate ? TEMPLATE_KEY : MODEL_KEY;
  // The sentence begins with the key that has no effect.
  const [, key] = /^data\.(\w+)/.exec(error.message) ?? [];
  if (error.code === 'config.contradiction' && key !== undefined) return ['data', key];
  if (error.code === 'data.missing_column' && data.format !== 'auto') return ['data', 'format'];
  return path;
}

/** Undefined as soon as one of them is. */
function sumOf(numbers: readonly (number | undefined)[]): number | undefined {
  return numbers.reduce(
    (sum, number) => (sum === undefined || number === undefined ? undefined : sum + number),
    0,
  );
}

function heldOut({ eval_split }: ResolvedConfig['data'], rows: number): number {
  return eval_split === undefined ? 0 : heldOutCount(rows, eval_split);
}

function named(names: string | readonly string[], path: ConfigPath): readonly NamedData[] {
  return typeof names === 'string'
    ? [{ path, name: names }]
    : names.map((name, index) => ({ path: [...path, index], name }));
}

/** Several files may lack the same column. */
function isFirst({ message }: Finding, index: number, all: readonly Finding[]): boolean {
  return all.findIndex((other) => other.message === message) === index;
}
