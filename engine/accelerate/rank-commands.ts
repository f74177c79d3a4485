import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { withoutToken } from '../hub/hub-token.ts';
import { interfaceTowards } from './network-interface.ts';

/** How a process is started. */
export interface RankCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** The program, in the sources as beside the bundles, where the build puts it. */
export const PROGRAM_FOLDER = fileURLToPath(new URL('./accelerate-program', import.meta.url));

/** Variables by which launchers tell a process what it is one of, and Accelerate how it is configured. */
const OF_LAUNCHERS =
  /^(?:ACCELERATE_|FSDP_|PMI_|OMPI_COMM_|MV2_COMM_|(?:LOCAL_)?(?:RANK|WORLD_SIZE)$|MASTER_|TORCHELASTIC_)/;

/** Names the Python that computes where a configuration names none. */
export const PYTHON_VARIABLE = 'LORAFA_PYTHON';

/** What the libraries shall do: ask no network, draw nothing, leave nothing beside the program. */
const QUIET = {
  HF_HUB_OFFLINE: '1',
  HF_HUB_DISABLE_PROGRESS_BARS: '1',
  HF_HUB_DISABLE_TELEMETRY: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONIOENCODING: 'utf-8',
  TOKENIZERS_PARALLELISM: 'false',
};

/** The interface by which processes of one machine talk: none that others reach. */
const LOOPBACK: { readonly [K in NodeJS.Platform]?: string } = { linux: 'lo', darwin: 'lo0' };

/** What of a configuration says who computes. */
export type RankConfig = Pick<ResolvedConfig, 'accelerate' | 'engine'>;

/** What this machine's processes are told beside a configuration. */
export interface RankPlace {
  /** A folder of the run's own, through which files go. */
  readonly handover: string;
  /** The base model's folder here, where another machine has the run and names it by a path of its own. */
  readonly model?: string | undefined;
}

/** Processes of a configuration on each machine. */
export function localProcesses({ accelerate }: Pick<RankConfig, 'accelerate'>): number {
  return accelerate.num_processes / accelerate.num_machines;
}

/** The Python of a configuration. */
export function pythonCommand(
  { accelerate }: Pick<RankConfig, 'accelerate'>,
  environment: NodeJS.ProcessEnv,
): string {
  return accelerate.python ?? (environment[PYTHON_VARIABLE] || 'python3');
}

/** By what people name it. */
const NAMES_OF_PYTHON =
  'accelerate.python, by the variable LORAFA_PYTHON or, in VS Code, by the setting lorafa.accelerate.python or the interpreter that is selected';

/** What to do about one that will not do. */
export const NAME_ANOTHER_PYTHON = `name another Python by ${NAMES_OF_PYTHON}`;

/** What is told where the system does not start it. */
export function pythonNotFound(command: string, cause: unknown): LorafaError {
  return new LorafaError(
    'python.not_found',
    `Python cannot be started as "${command}" (${messageOf(cause)}); install it, or name it by ${NAMES_OF_PYTHON}.`,
  );
}

/** The processes of a run on Accelerate that are on this machine, in the order of their ranks. */
export async function rankCommands(
  config: RankConfig,
  { handover, model }: RankPlace,
  given: NodeJS.ProcessEnv = process.env,
): Promise<readonly RankCommand[]> {
  const { accelerate, engine } = config;
  const {
    num_processes: count,
    num_machines: machines,
    mixed_precision,
    distributed_type,
  } = accelerate;
  const { main_process_ip: host, main_process_port: port } = accelerate;
  const command = pythonCommand(config, given);
  const { device, intra_op_num_threads: threads } = engine;
  const network = machines === 1 ? LOOPBACK[process.platform] : await interfaceTowards(host!);
  const own = Object.entries(withoutToken(given)).filter(([name]) => !OF_LAUNCHERS.test(name));
  const local = localProcesses(config);
  return Array.from({ length: local }, (_, localRank) => {
    const rank = accelerate.machine_rank * local + localRank;
    const settings = {
      rank,
      num_processes: count,
      local_rank: localRank,
      local_processes: local,
      handover,
      device,
      mixed_precision,
      distributed_type,
      timeout: accelerate.ddp_timeout,
      machines: machines === 1 ? null : { count: machines, host, port },
      model: model ?? null,
    };
    const place = { RANK: `${rank}`, LOCAL_RANK: `${localRank}` };
    const size = { WORLD_SIZE: `${count}`, LOCAL_WORLD_SIZE: `${local}` };
    return {
      command,
      args: [path.join(PROGRAM_FOLDER, 'train.py'), JSON.stringify(settings)],
      env: {
        ...(network !== undefined && {
          GLOO_SOCKET_IFNAME: network,
          NCCL_SOCKET_IFNAME: network,
        }),
        ...Object.fromEntries(own),
        ...QUIET,
        ...(threads > 0 && { OMP_NUM_THREADS: `${threads}` }),
        ...(count > 1 && { ...place, ...size }),
        // Accelerate wants them, though the processes have met when it looks.
        ...(machines > 1 && { MASTER_ADDR: host, MASTER_PORT: `${port}` }),
      },
    };
  });
}
