import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResolvedConfig } from '../config/schema.ts';
import { withoutToken } from '../hub/hub-token.ts';

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

/**
 * The processes of a run on Accelerate, in the order of their ranks.
 *
 * @param handover a folder of the run's own, through which files go
 */
export function rankCommands(
  { accelerate, engine }: Pick<ResolvedConfig, 'accelerate' | 'engine'>,
  handover: string,
  given: NodeJS.ProcessEnv = process.env,
): readonly RankCommand[] {
  const { num_processes: count, mixed_precision } = accelerate;
  const command = accelerate.python ?? (given[PYTHON_VARIABLE] || 'python3');
  const { device, intra_op_num_threads: threads } = engine;
  const loopback = LOOPBACK[process.platform];
  const own = Object.entries(withoutToken(given)).filter(([name]) => !OF_LAUNCHERS.test(name));
  return Array.from({ length: count }, (_, rank) => {
    const settings = {
      rank,
      num_processes: count,
      local_rank: rank,
      local_processes: count,
      handover,
      device,
      mixed_precision,
    };
    const place = { RANK: `${rank}`, LOCAL_RANK: `${rank}` };
    const size = { WORLD_SIZE: `${count}`, LOCAL_WORLD_SIZE: `${count}` };
    return {
      command,
      args: [path.join(PROGRAM_FOLDER, 'train.py'), JSON.stringify(settings)],
      env: {
        ...(loopback !== undefined && {
          GLOO_SOCKET_IFNAME: loopback,
          NCCL_SOCKET_IFNAME: loopback,
        }),
        ...Object.fromEntries(own),
        ...QUIET,
        ...(threads > 0 && { OMP_NUM_THREADS: `${threads}` }),
        ...(count > 1 && { ...place, ...size }),
      },
    };
  });
}
