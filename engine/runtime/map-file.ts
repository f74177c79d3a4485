import path from 'node:path';
import koffi from 'koffi';
import type { Pointer } from './c-api.ts';

/** A file in memory, read-only. Its pages are those of the system's cache, read at first sight. */
export interface MappedFile {
  readonly address: Pointer;
  readonly unmap: () => void;
}

type MapFile = (file: string, descriptor: number, bytes: number) => MappedFile | undefined;

/** The system's functions, looked for when they are first needed. */
let system: MapFile | undefined;

/**
 * Maps a file.
 *
 * @param file where it lies
 * @param descriptor of the same file; it may be closed afterwards
 * @param bytes size of the file
 * @returns undefined where the system, or the file's file system, does not do it
 */
export const mapFile: MapFile = (file, descriptor, bytes) => {
  system ??= process.platform === 'win32' ? windowsFunctions() : posixFunctions();
  return system(file, descriptor, bytes);
};

/** mmap(2): `PROT_READ`, `MAP_PRIVATE`, `MAP_FAILED` */
const [READ, PRIVATE, FAILED] = [1, 2, 2n ** 64n - 1n];

function posixFunctions(): MapFile {
  const libc = koffi.load(null);
  const mmap = libc.func('mmap', 'void *', ['void *', 'size_t', 'int', 'int', 'int', 'int64_t']);
  const munmap = libc.func('munmap', 'int', ['void *', 'size_t']);
  return (_, descriptor, bytes) => {
    const address = mmap(null, bytes, READ, PRIVATE, descriptor, 0) as Pointer;
    if (address === FAILED) return undefined;
    return { address, unmap: () => munmap(address, bytes) };
  };
}

/** CreateFileW: `GENERIC_READ`, all of `FILE_SHARE_*`, `OPEN_EXISTING`, `INVALID_HANDLE_VALUE` */
const [GENERIC_READ, SHARE_ALL, OPEN_EXISTING, INVALID_HANDLE] = [2 ** 31, 7, 3, 2n ** 64n - 1n];

/** `PAGE_READONLY` of CreateFileMappingW, `FILE_MAP_READ` of MapViewOfFile */
const [PAGE_READONLY, FILE_MAP_READ] = [2, 4];

/** Node's descriptors are no handles, so that the file is opened once more. */
function windowsFunctions(): MapFile {
  const kernel = koffi.load('kernel32.dll');
  const open = kernel.func('CreateFileW', 'void *', [
    'str16',
    'uint32_t',
    'uint32_t',
    'void *',
    'uint32_t',
    'uint32_t',
    'void *',
  ]);
  const section = kernel.func('CreateFileMappingW', 'void *', [
    'void *',
    'void *',
    'uint32_t',
    'uint32_t',
    'uint32_t',
    'void *',
  ]);
  const view = kernel.func('MapViewOfFile', 'void *', [
    'void *',
    'uint32_t',
    'uint32_t',
    'uint32_t',
    'size_t',
  ]);
  const unmapView = kernel.func('UnmapViewOfFile', 'int', ['void *']);
  const close = kernel.func('CloseHandle', 'int', ['void *']);
  return (file, _, bytes) => {
    const name = path.toNamespacedPath(file);
    const handle = open(name, GENERIC_READ, SHARE_ALL, null, OPEN_EXISTING, 0, null) as Pointer;
    if (handle === INVALID_HANDLE) return undefined;
    // A size that the file does not have is refused.
    const [high, low] = [Math.floor(bytes / 2 ** 32), bytes % 2 ** 32];
    const mapping = section(handle, null, PAGE_READONLY, high, low, null) as Pointer | null;
    close(handle);
    if (mapping === null) return undefined;
    const address = view(mapping, FILE_MAP_READ, 0, 0, bytes) as Pointer | null;
    close(mapping);
    if (address === null) return undefined;
    return { address, unmap: () => unmapView(address) };
  };
}
