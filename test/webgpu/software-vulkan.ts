import { existsSync } from 'node:fs';
import path from 'node:path';

/** Where Debian's package `chromium` puts a Vulkan device that is computed by the CPU, and a loader for it. */
const CHROMIUM = '/usr/lib/chromium';

const ICD = path.join(CHROMIUM, 'vk_swiftshader_icd.json');

/** Why there is no software Vulkan device here, in words for a test that is skipped. */
export const noVulkan: string | undefined =
  existsSync(ICD) && existsSync(path.join(CHROMIUM, 'libvulkan.so.1'))
    ? undefined
    : 'no software Vulkan device, which the Debian package chromium has';

/** Variables with which a process has that device and no other. */
export const softwareVulkan: Readonly<Record<string, string>> = {
  LD_LIBRARY_PATH: CHROMIUM,
  VK_ICD_FILENAMES: ICD,
};
