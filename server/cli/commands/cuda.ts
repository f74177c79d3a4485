import type { Command } from 'commander';
import { LorafaError } from '../../../engine/errors.ts';
import { renderCudaPlan, shownPlan } from '../cuda-report.ts';
import { withInterrupt } from '../interrupt.ts';
import { jsonProgress } from '../json-progress.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';

interface CudaFlags {
  readonly plan?: true;
  readonly download?: true;
  readonly device: boolean;
  readonly json?: true;
}

/** Adds `lorafa cuda` to the program. */
export function addCudaCommand(program: Command): void {
  const cuda = program.command('cuda').summary('set up CUDA').description('CUDA on this machine.');
  cuda
    .command('setup')
    .summary('find or fetch what CUDA needs, and try it')
    .description(
      "Find what CUDA needs beside NVIDIA's driver: ONNX Runtime's CUDA provider and the libraries of CUDA 13, in the folder in LORAFA_CUDA_FOLDER, in Python environments and in the system. What is missing is fetched by pip from where it is configured to fetch, compared with known digests and unpacked into the cache folder (LORAFA_CACHE_DIR); nothing is installed. Then a GPU is tried.",
    )
    .option('--plan', 'change nothing, and say what is there and how much would be fetched')
    .option('--download', 'fetch everything, whatever is there')
    .option('--no-device', 'set up without a GPU, and try none')
    .option('--json', 'print JSON lines: how far it is, and last what came of it')
    .action((flags: CudaFlags) => runCommand(flags.json === true, () => setup(flags)));
}

async function setup({ plan: isPlan, download, device, json }: CudaFlags): Promise<void> {
  const { FIRST_GPU, planCuda } = await import('../../../engine/cuda/plan-cuda.ts');
  const plan = await planCuda({ isAllFetched: download });
  const shown = shownPlan(plan);
  if (isPlan === true) {
    if (json === true) printJson(process.stdout, shown);
    else printText(process.stdout, renderCudaPlan(shown));
    return;
  }
  const { driverProblem } = plan;
  if (device && driverProblem !== undefined) {
    throw new LorafaError('device.unavailable', driverProblem);
  }
  if (json !== true) printText(process.stderr, renderCudaPlan(shown));
  const { setUpCuda } = await import('../../../engine/cuda/set-up-cuda.ts');
  const report = stderrProgress();
  const abort = new AbortController();
  await withInterrupt(
    () => abort.abort(),
    () =>
      setUpCuda(plan, {
        signal: abort.signal,
        onProgress:
          json === true ? jsonProgress() : (state) => report({ type: 'progress', ...state }),
      }),
  );
  if (device) {
    const { chooseDevice } = await import('../../../engine/runtime/devices.ts');
    await chooseDevice(FIRST_GPU);
  }
  const { folder } = plan;
  if (json === true) printJson(process.stdout, { type: 'cuda', folder, isTried: device });
  else {
    const works = device ? `, and ${FIRST_GPU} computes what it should` : '';
    printText(process.stdout, `CUDA is set up in ${folder}${works}.`);
  }
}
