import { listenLocally } from '../../../../server/rpc/local-socket.ts';

/** Listens until it is killed, as a trainer does. */
const { name } = await listenLocally(() => undefined);
process.send!(name);
process.on('message', () => undefined);
