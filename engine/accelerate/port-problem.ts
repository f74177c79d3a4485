import { createServer } from 'node:net';
import { messageOf } from '../errors.ts';

/** Why nobody can begin to listen at a port of this machine, in the system's words; undefined where one can. */
export function portProblem(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(messageOf(error)));
    // At all addresses, as PyTorch does.
    server.listen(port, () => server.close(() => resolve(undefined)));
  });
}
