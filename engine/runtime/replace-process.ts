import koffi from 'koffi';

/** fcntl(2): `F_SETFD` */
const SET_FLAGS = 2;

/**
 * Replaces the program of this process by another one: its id, parent, folder and standard streams stay, all
 * else is gone. Node itself has this from version 22.15 on (`process.execve`). Not on Windows.
 *
 * Source: execve(2), fcntl(2).
 *
 * @param file the program
 * @param args its arguments, its own name first
 * @returns only where the system refuses
 */
export function replaceProcess(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): void {
  const libc = koffi.load(null);
  const fcntl = libc.func('fcntl', 'int', ['int', 'int', '...']);
  const texts = 'const char *const *';
  const execve = libc.func('execve', 'int', ['str', texts, texts]);
  // Node has them closed where another program begins.
  for (const stream of [0, 1, 2]) fcntl(stream, SET_FLAGS, 'int', 0);
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  execve(file, [...args, null], [...variables, null]);
}
