import type { FuzzResult } from './fuzz-reader.ts';

const HEADS = ['reader', 'inputs', 'understood', 'refused', 'failures', 'CPU s', 'MiB', 'inputs/s'];

/** The results of readers as a table in Markdown. */
export function fuzzTable(results: ReadonlyMap<string, FuzzResult>): string {
  const rows = [...results].map(([name, result]) => [
    name,
    String(result.inputs),
    String(result.understood),
    String(result.refused),
    String(result.failures.length),
    result.cpuSeconds.toFixed(2),
    (result.memory / 2 ** 20).toFixed(0),
    (result.inputs / result.seconds).toFixed(0),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(HEADS), line(HEADS.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What was wrong, and how to see it again. */
export function failureText(reader: string, seed: number, { failures }: FuzzResult): string {
  return failures
    .map(({ index, kind, details }) => {
      const again = `LORAFA_FAULTS_READER='${reader}' LORAFA_FAULTS_SEED=${seed} LORAFA_FAULTS_INPUT=${index}`;
      return `${kind}: ${details}\n  again: ${again} npm run test:faults -- fuzz`;
    })
    .join('\n');
}
