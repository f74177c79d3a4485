import { spawn } from 'node:child_process';

/**
 * Ends a process that was started with a group of its own, and all that it has started; one that is gone is fine.
 */
export function killTree(pid: number): void {
  if (process.platform === 'win32') {
    // No groups there: this follows from parent to child.
    spawn('taskkill', ['/pid', `${pid}`, '/t', '/f'], { stdio: 'ignore', windowsHide: true }).on(
      'error',
      () => undefined,
    );
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}
