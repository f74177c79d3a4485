process.stderr.write('out of memory\n');
process.exitCode = 3;
process.disconnect();
