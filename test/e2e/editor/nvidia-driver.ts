import { vi } from 'vitest';
import { NvidiaSmi } from '../../support/nvidia-smi.ts';

/** As {@link NvidiaSmi.install}, for windows that are opened afterwards. */
export function installNvidiaDriver(...lines: readonly string[]): Promise<NvidiaSmi> {
  // Or VS Code would ask a login shell for the PATH, unless it was started from one.
  vi.stubEnv('VSCODE_CLI', '1');
  return NvidiaSmi.install(...lines);
}
