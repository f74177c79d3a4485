import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';

/** Any will do: nothing is sent. */
const PORT = 9;

/**
 * The network interface by which a host is reached from here; undefined where that cannot be said. Without it Gloo
 * listens at the address of this machine's own name, which many systems have as one that no other machine reaches.
 */
export async function interfaceTowards(host: string): Promise<string | undefined> {
  const address = await ownAddressTowards(host).catch(() => undefined);
  const [name] =
    Object.entries(networkInterfaces()).find(([, addresses = []]) =>
      addresses.some((each) => each.address === address),
    ) ?? [];
  return name;
}

/** What the system would send from: connecting a datagram socket asks for the route alone. */
async function ownAddressTowards(host: string): Promise<string> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    socket.connect(PORT, address);
    await once(socket, 'connect');
    return socket.address().address;
  } finally {
    socket.close();
  }
}
