import { execFileSync, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { LAUNCH_TEXTS, type Launch, type Launcher } from '../../../server/cli/launch-texts.ts';

const LAUNCH: Launch = {
  name: 'first',
  folder: "/home/me/it's here",
  python: '/opt/my python/bin/python',
  processes: 4,
  usesGpus: true,
  mixedPrecision: 'bf16',
  machines: 2,
  hosts: ['node-1', 'node-2'],
  firstHost: 'node-1',
  port: 29_500,
};

const textOf = (launcher: Launcher, changes: Partial<Launch> = {}): string =>
  LAUNCH_TEXTS[launcher]({ ...LAUNCH, ...changes });

/** What a shell makes of a text, with programs that print what they are given. */
function executed(text: string, programs: readonly string[]): string[] {
  const stubs = programs.map(
    // One write each: what runs at the same time writes to the same pipe.
    (name) => `${name}() { printf '%s\\n' "$(printf '%s|' ${JSON.stringify(name)} "$@")"; }`,
  );
  const script = ['cd() { :; }', ...stubs, text].join('\n');
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n').sort();
}

test('torchrun is told the place of each machine', () => {
  const lines = textOf('torchrun').split('\n');
  expect(lines[0]).toBe('# Machine 1 of 2, node-1:');
  expect(lines[3]).toBe(
    `cd '/home/me/it'\\''s here' && '/opt/my python/bin/python' -m torch.distributed.run --nnodes 2 --node-rank 1 --master-addr node-1 --master-port 29500 --nproc-per-node 4 run.py --resume`,
  );
  expect(textOf('torchrun', { hosts: [], firstHost: undefined })).toContain(
    '--master-addr FIRST-MACHINE',
  );
  // SSH signs in as somebody, and nobody else does.
  for (const launcher of ['torchrun', 'accelerate', 'ssh'] as const) {
    const text = textOf(launcher, { hosts: ['me@node-1', 'me@node-2'], firstHost: 'me@node-1' });
    expect(text).toMatch(/--(master-addr|main_process_ip) node-1 /);
  }
  expect(textOf('torchrun', { machines: 1, hosts: [] })).toMatch(
    / --standalone --nproc-per-node 4 /,
  );
});

test('accelerate launch is told how many there are of all machines', () => {
  expect(textOf('accelerate').split('\n')[3]).toMatch(
    / -m accelerate\.commands\.launch --multi_gpu --num_processes 8 --num_machines 2 --machine_rank 1 --main_process_ip node-1 --main_process_port 29500 --mixed_precision bf16 /,
  );
});

test('a script for SSH gives each machine one command', () => {
  const calls = executed(textOf('ssh'), ['ssh']);
  expect(calls).toHaveLength(2);
  for (const [machine, call] of calls.entries()) {
    const [program, host, command] = call.split('|');
    expect([program, host]).toEqual(['ssh', `node-${machine + 1}`]);
    expect(command).toContain(`--node-rank ${machine} `);
    expect(command).toMatch(/^cd '\/home\/me\/it'\\''s here' && '\/opt\/my python/);
  }
});

test.each([
  ['no machine', 0],
  ['node-1', 7],
  ['node-2', 7],
])('a script for SSH ends as the machines do: %s fails', (host, expected) => {
  const ssh = `ssh() { [ "$1" != ${JSON.stringify(host)} ] || return 7; }`;
  const { status } = spawnSync('sh', ['-c', `${ssh}\n${textOf('ssh')}`]);
  expect(status).toBe(expected);
});

test('a job of Slurm starts a launcher on each node', () => {
  const text = textOf('slurm');
  expect(text).toMatch(/^#!\/bin\/bash\n#SBATCH --job-name=first\n#SBATCH --nodes=2\n/);
  expect(text).toContain('#SBATCH --gpus-per-node=4');
  expect(textOf('slurm', { usesGpus: false })).not.toContain('gpus');
  const [call] = executed(`SLURM_JOB_NODELIST='node-[1-2]'\n${text}`, ['srun', 'scontrol']);
  const [program, shell, option, command] = call!.split('|');
  expect([program, shell, option]).toEqual(['srun', 'bash', '-c']);
  expect(command).toMatch(
    /^exec '\/opt\/my python.* --node-rank "\$SLURM_NODEID" .*"\$FIRST_MACHINE"/,
  );
});

test('a task of SkyPilot has its folder, its machines and its devices', () => {
  const text = textOf('sky');
  expect(text).toContain('name: "first"\nnum_nodes: 2\nresources:\n  accelerators: "A100:4"');
  expect(text).toContain(`workdir: "/home/me/it's here"\n`);
  expect(text.split('\n').at(-1)).toMatch(
    /^ {2}python3 -m torch.* --nnodes "\$SKYPILOT_NUM_NODES" --node-rank "\$SKYPILOT_NODE_RANK" /,
  );
  expect(textOf('sky', { usesGpus: false })).not.toContain('resources');
});
