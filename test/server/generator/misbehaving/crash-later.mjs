process.on('message', ({ id, method }) => {
  if (method === 'generator/open') process.send({ jsonrpc: '2.0', id, result: null });
  if (method !== 'generator/generate') return;
  process.stderr.write('terminate called\n');
  process.kill(process.pid, 'SIGABRT');
});
