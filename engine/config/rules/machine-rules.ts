import { setValue } from '../path-problem.ts';
import { problem, type Rule } from './rule.ts';

/** Keys that say nothing of a machine that is alone. */
const OF_SEVERAL = ['machine_rank', 'main_process_ip', 'main_process_port'] as const;

/** Several machines find each other, and have equal shares of the processes. */
export const machinesRule: Rule = (given) => {
  if (given('engine', 'backend') !== 'accelerate') return [];
  const machines = given('accelerate', 'num_machines') ?? 1;
  const processes = given('accelerate', 'num_processes') ?? 1;
  const rank = given('accelerate', 'machine_rank') ?? 0;
  if (typeof machines !== 'number') return [];
  if (machines === 1) {
    return OF_SEVERAL.filter((key) => given('accelerate', key) !== undefined).map((key) =>
      problem(
        ['accelerate', key],
        `\`accelerate.${key}\` has an effect only with several machines; set \`accelerate.num_machines\` or remove it`,
      ),
    );
  }
  const path = ['accelerate', 'num_machines'];
  return [
    ...(typeof processes === 'number' && processes % machines !== 0
      ? [
          problem(
            path,
            `\`accelerate.num_machines\` ${machines} cannot share ${processes} processes equally; set \`accelerate.num_processes\` to those of all machines together`,
            setValue(['accelerate', 'num_processes'], Math.ceil(processes / machines) * machines),
            { kind: 'remove', path },
          ),
        ]
      : []),
    ...(given('accelerate', 'main_process_ip') === undefined
      ? [
          problem(
            path,
            '`accelerate.num_machines` has to be told where the machines meet; set `accelerate.main_process_ip` to the address of the first one',
          ),
        ]
      : []),
    ...(typeof rank === 'number' && rank >= machines
      ? [
          problem(
            ['accelerate', 'machine_rank'],
            `\`accelerate.machine_rank\` counts from 0, and ${machines} machines have no ${rank}; use 0 to ${machines - 1}`,
          ),
        ]
      : []),
  ];
};
