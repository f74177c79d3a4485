import type { Command } from 'commander';
import { messageOf } from '../../../engine/errors.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { doctorJson, isHealthy, type RuntimeReport, renderDoctor } from '../doctor-report.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { inspectSystem } from '../system-report.ts';

/** Adds `lorafa doctor` to the program. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .summary('show what this machine can do')
    .description(
      'Show the machine, ONNX Runtime and its devices: each usable, or with the piece that is missing.',
    )
    .option('--json', 'print one JSON object')
    .action((flags: { readonly json?: true }) =>
      runCommand(flags.json === true, () => doctor(flags.json === true)),
    );
}

async function doctor(json: boolean): Promise<void> {
  const [system, runtime] = await Promise.all([inspectSystem(process.cwd()), inspectRuntime()]);
  if (json) printJson(process.stdout, doctorJson(system, runtime));
  else printText(process.stdout, renderDoctor(system, runtime));
  if (!isHealthy(runtime)) process.exitCode = exitCodeOf('device.unavailable');
}

/** Loading ONNX Runtime's native library is itself one of the things that may fail. */
async function inspectRuntime(): Promise<RuntimeReport> {
  try {
    const { ort } = await import('../../../engine/runtime/onnx-runtime.ts');
    const { probeDevices } = await import('../../../engine/runtime/devices.ts');
    const { bfloat16Problem } = await import('../../../engine/runtime/bfloat16.ts');
    const problem = bfloat16Problem(CPU);
    return {
      version: ort.version,
      devices: await probeDevices(),
      bfloat16: problem === undefined ? { usable: true } : { usable: false, problem },
    };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
