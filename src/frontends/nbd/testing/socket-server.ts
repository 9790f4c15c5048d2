import { createServer, type Server, type Socket } from 'node:net';
import type { TestServer } from './test-server.js';

/** Lets real sockets talk to a test server: each connection becomes an in-memory stream. */
export function serveSockets(test: TestServer, path: string): Promise<Server> {
  const server = createServer((socket) => bridge(test, socket));
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

function bridge(test: TestServer, socket: Socket): void {
  const stream = test.connect();
  const passOn = (): void => {
    test.loop.settle();
    const bytes = stream.takeSent();
    if (bytes.length > 0) socket.write(bytes);
    if (stream.isClosed) socket.end();
  };
  socket.on('data', (chunk) => {
    stream.feed(chunk);
    passOn();
  });
  socket.on('end', () => {
    stream.end();
    passOn();
  });
  socket.on('error', () => socket.destroy());
  passOn();
}
