import { problem, type Rule } from './rule.ts';

/** What a configuration file of Accelerate says too. */
const SAID_THERE = [
  'num_processes',
  'num_machines',
  'machine_rank',
  'main_process_ip',
  'main_process_port',
  'mixed_precision',
  'distributed_type',
] as const;

/** A file of Accelerate takes the place of keys. */
export const configFileRule: Rule = (given) => {
  if (given('accelerate', 'config_file') === undefined) return [];
  return SAID_THERE.filter((key) => given('accelerate', key) !== undefined).map((key) =>
    problem(
      ['accelerate', key],
      `\`accelerate.${key}\` is what the file of \`accelerate.config_file\` says; remove one of the two`,
    ),
  );
};
