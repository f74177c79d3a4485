import { formatBytes } from '../../server/format.ts';
import { markdownTable } from '../reports/markdown-table.ts';
import { asMarkdown } from '../show/markup.ts';
import type { DoctorTexts } from './doctor-texts.ts';
import type { MachineGpu, MachineReport } from './machine-report.ts';

/** What a machine can do, as a Markdown document: the verdict first, then what is missing, then all. */
export function doctorMarkdown(report: MachineReport, texts: DoctorTexts): string {
  const { onnxruntime, cpu, memory, disk } = report;
  const devices = 'devices' in onnxruntime ? onnxruntime.devices : [];
  const usable = devices.filter((device) => device.usable);
  const missing =
    'problem' in onnxruntime
      ? [`**ONNX Runtime**: ${asMarkdown(onnxruntime.problem)}`]
      : devices
          .filter((device) => !device.usable)
          // The sentence names the device.
          .map(({ device, problem }) => asMarkdown(problem ?? device));
  const names = usable.map(({ device }) => `\`${device}\``).join(', ');
  const rows: readonly (readonly [string, string])[] = [
    ['ONNX Runtime', 'version' in onnxruntime ? onnxruntime.version : texts.missing],
    ...devices.map(
      ({ device, usable: works, gpu, passedOver }) =>
        [
          `${texts.device} ${device}`,
          [
            works ? texts.usable : texts.notUsable,
            ...gpuWords(gpu, texts),
            ...(passedOver === undefined ? [] : [`${texts.passedOver} ${passedOver}`]),
          ].join(', '),
        ] as const,
    ),
    ...('bfloat16' in onnxruntime
      ? [[texts.bfloat16, bfloat16Words(onnxruntime.bfloat16, texts)] as const]
      : []),
    [texts.system, report.os],
    [texts.cpu, `${cpu.model}, ${cpu.logicalCores} ${texts.cores}`],
    [texts.instructions, cpu.features?.join(' ') ?? texts.unknown],
    [texts.memory, `${formatBytes(memory.freeBytes)} / ${formatBytes(memory.totalBytes)}`],
    [texts.disk, `${formatBytes(disk.freeBytes)} (${disk.folder})`],
    ['Node.js', report.node],
  ];
  return [
    `# ${texts.title}`,
    usable.length > 0 ? `✓ ${texts.ready} ${names}` : `✗ ${texts.notReady}`,
    ...(missing.length > 0
      ? [`## ${texts.whatIsMissing}`, missing.map((line) => `- ${line}`).join('\n')]
      : []),
    ...(devices.some(({ detail }) => detail !== undefined) ? [texts.wordsInLog] : []),
    `## ${texts.machine}`,
    markdownTable([texts.what, texts.found], rows),
    '',
  ].join('\n\n');
}

function gpuWords(gpu: MachineGpu | undefined, texts: DoctorTexts): readonly string[] {
  if (gpu === undefined) return [];
  const { name, memoryBytes, driver } = gpu;
  const memory = memoryBytes === null ? texts.memoryUnknown : formatBytes(memoryBytes);
  return [name, memory, `${texts.driver} ${driver}`];
}

/** What most machines lack is no fault of theirs: it is told beside what they have. */
function bfloat16Words(
  { usable, problem }: { readonly usable: boolean; readonly problem?: string | undefined },
  texts: DoctorTexts,
): string {
  return usable ? texts.usable : `${texts.notUsable}: ${problem}`;
}
