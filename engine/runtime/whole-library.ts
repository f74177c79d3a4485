import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The header of an ELF file of 64 bits: 7f 45 4c 46, class 2, little-endian. */
const HEADER_BYTES = 64;
const [MAGIC, CLASS_64, LITTLE_ENDIAN] = [0x464c457f, 2, 1];

/** Places in it (elf(5), `Elf64_Ehdr`): where the table of sections is, the size of an entry, and how many. */
const [TABLE_AT, ENTRY_SIZE_AT, ENTRIES_AT] = [0x28, 0x3a, 0x3c];

/**
 * Makes sure that a library of Linux is there to its end, where its table of sections is: opening one that was cut
 * off would end the process (SIGBUS). Other files are left to whoever opens them.
 *
 * @throws Error in the form of the system's own words
 */
export function requireWholeLibrary(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const header = Buffer.alloc(HEADER_BYTES);
    const isElf =
      readSync(descriptor, header, 0, HEADER_BYTES, 0) === HEADER_BYTES &&
      header.readUInt32LE(0) === MAGIC &&
      header[4] === CLASS_64 &&
      header[5] === LITTLE_ENDIAN;
    if (!isElf) return;
    const entries = header.readUInt16LE(ENTRIES_AT) * header.readUInt16LE(ENTRY_SIZE_AT);
    const end = header.readBigUInt64LE(TABLE_AT) + BigInt(entries);
    if (BigInt(size) < end)
      throw new Error(`${file} is cut off: ${size} of ${end} bytes are there`);
  } finally {
    closeSync(descriptor);
  }
}
