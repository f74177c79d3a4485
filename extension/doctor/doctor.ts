import * as vscode from 'vscode';
import { examineMachine } from '../../server/protocol/machine.ts';
import type { Reports } from '../reports/reports.ts';
import type { ServerLink } from '../server-link.ts';
import { showProgress } from '../show/notifications.ts';
import { tellUntrusted } from '../trust.ts';
import { doctorMarkdown } from './doctor-markdown.ts';
import { doctorTexts } from './doctor-texts.ts';
import { machineReportSchema } from './machine-report.ts';
import { restrictedMarkdown, restrictedTexts } from './restricted-report.ts';

/**
 * Examines the machine and shows what it can do as a document; in a folder that is not trusted, what
 * needs trust.
 *
 * @throws the server's error answer
 */
export async function showDoctor(
  server: ServerLink,
  reports: Reports,
  log: vscode.LogOutputChannel,
): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    await reports.show('LoRA-FA Doctor', restrictedMarkdown(restrictedTexts()));
    return tellUntrusted();
  }
  const title = vscode.l10n.t('Examining this machine…');
  const answer = await showProgress({ title }, () => server.ask(examineMachine, {}));
  const report = machineReportSchema.parse(answer);
  const devices = 'devices' in report.onnxruntime ? report.onnxruntime.devices : [];
  for (const { device, detail } of devices)
    if (detail !== undefined) log.info(`${device}: ${detail}`);
  const markdown = doctorMarkdown(report, doctorTexts());
  await reports.show('LoRA-FA Doctor', markdown);
}
