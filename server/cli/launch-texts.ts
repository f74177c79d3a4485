import { shellWord } from '../shell-word.ts';

/** How an exported run is to be started. */
export interface Launch {
  /** What the job is called. */
  readonly name: string;
  /** Where the exported folder lies, on each machine. */
  readonly folder: string;
  readonly python: string;
  /** Processes on each machine. */
  readonly processes: number;
  readonly usesGpus: boolean;
  readonly mixedPrecision: 'no' | 'bf16';
  readonly machines: number;
  /** Names or addresses of the machines, the first one's first; empty where nobody needs them or knows them. */
  readonly hosts: readonly string[];
  /** By which the others reach the first one, where it is known. */
  readonly firstHost: string | undefined;
  /** At which the first machine listens. */
  readonly port: number;
}

/** Stands where the name of the first machine has to be written. */
const FIRST_HOST = 'FIRST-MACHINE';

/** How a run is started by each launcher: the text of a file, or of commands for a shell. */
export const LAUNCH_TEXTS = {
  torchrun: (launch) =>
    perMachine(launch, (machine) => inFolder(launch.folder, torchrun(launch, machine))),
  accelerate: (launch) =>
    perMachine(launch, (machine) => inFolder(launch.folder, accelerateLaunch(launch, machine))),
  ssh: (launch) =>
    [
      '#!/bin/sh',
      '# Starts the run on each machine, waits for all of them, and fails where one of them has failed.',
      ...launch.hosts.map((host, machine) => {
        const command = inFolder(launch.folder, torchrun(launch, machine));
        return `ssh ${shellWord(host)} ${shellWord(command)} & machine${machine}=$!`;
      }),
      'status=0',
      // A `wait` for all at once succeeds whatever they came to.
      ...launch.hosts.map((_, machine) => `wait "$machine${machine}" || status=$?`),
      'exit "$status"',
    ].join('\n'),
  slurm: (launch) =>
    [
      '#!/bin/bash',
      `#SBATCH --job-name=${launch.name}`,
      `#SBATCH --nodes=${launch.machines}`,
      '#SBATCH --ntasks-per-node=1',
      ...(launch.usesGpus ? [`#SBATCH --gpus-per-node=${launch.processes}`] : []),
      '#SBATCH --requeue',
      `cd ${shellWord(launch.folder)}`,
      'export FIRST_MACHINE="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"',
      `srun bash -c ${shellWord(`exec ${torchrunFrom(launch, '"$SLURM_NNODES"', '"$SLURM_NODEID"', '"$FIRST_MACHINE"')}`)}`,
    ].join('\n'),
  sky: (launch) =>
    [
      `name: ${JSON.stringify(launch.name)}`,
      `num_nodes: ${launch.machines}`,
      ...(launch.usesGpus
        ? ['resources:', `  accelerators: "A100:${launch.processes}" # or another kind`]
        : []),
      `workdir: ${JSON.stringify(launch.folder)}`,
      'setup: |',
      '  pip install torch transformers peft accelerate',
      'run: |',
      '  FIRST_MACHINE="$(echo "$SKYPILOT_NODE_IPS" | head -n 1)"',
      `  ${torchrunFrom({ ...launch, python: 'python3' }, '"$SKYPILOT_NUM_NODES"', '"$SKYPILOT_NODE_RANK"', '"$FIRST_MACHINE"')}`,
    ].join('\n'),
} as const satisfies Readonly<Record<string, (launch: Launch) => string>>;

export type Launcher = keyof typeof LAUNCH_TEXTS;

function perMachine({ machines, hosts }: Launch, command: (machine: number) => string): string {
  if (machines === 1) return command(0);
  return Array.from({ length: machines }, (_, machine) => {
    const host = hosts[machine] === undefined ? '' : `, ${hosts[machine]}`;
    return `# Machine ${machine + 1} of ${machines}${host}:\n${command(machine)}`;
  }).join('\n');
}

function inFolder(folder: string, command: string): string {
  return `cd ${shellWord(folder)} && ${command}`;
}

function torchrun(launch: Launch, machine: number): string {
  const host = shellWord(addressOf(launch.firstHost ?? FIRST_HOST));
  return torchrunFrom(launch, `${launch.machines}`, `${machine}`, host);
}

/** A host without the user that SSH signs in as. */
function addressOf(host: string): string {
  return host.slice(host.indexOf('@') + 1);
}

/** @param machines as the other two, a word of a shell */
function torchrunFrom(
  { python, processes, port, machines: count }: Launch,
  machines: string,
  machine: string,
  host: string,
): string {
  const place =
    count === 1
      ? '--standalone'
      : `--nnodes ${machines} --node-rank ${machine} --master-addr ${host} --master-port ${port}`;
  return `${shellWord(python)} -m torch.distributed.run ${place} --nproc-per-node ${processes} run.py --resume`;
}

function accelerateLaunch(launch: Launch, machine: number): string {
  const { python, processes, machines, port, mixedPrecision } = launch;
  const total = processes * machines;
  const words = [
    shellWord(python),
    '-m accelerate.commands.launch',
    ...(total > 1 ? ['--multi_gpu'] : []),
    `--num_processes ${total}`,
    `--num_machines ${machines}`,
    ...(machines > 1
      ? [
          `--machine_rank ${machine}`,
          `--main_process_ip ${shellWord(addressOf(launch.firstHost ?? FIRST_HOST))}`,
          `--main_process_port ${port}`,
        ]
      : []),
    `--mixed_precision ${mixedPrecision}`,
    '--dynamo_backend no',
    'run.py --resume',
  ];
  return words.join(' ');
}
