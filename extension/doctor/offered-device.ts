import * as vscode from 'vscode';
import type { KnownDevice } from './known-devices.ts';

/** A device as a page offers it. */
export interface OfferedDevice {
  /** As `engine.device` names it. */
  readonly name: string;
  /** Its name with what it is and how much memory it has. */
  readonly label: string;
  /** Why it cannot be used, as a sentence; null where it can. */
  readonly problem: string | null;
}

/** A device as a page offers it. */
export function offeredDevice({ name, facts, problem }: KnownDevice): OfferedDevice {
  const unusable = problem === null ? [] : [vscode.l10n.t('not usable')];
  return { name, label: [name, ...facts, ...unusable].join(' · '), problem };
}
