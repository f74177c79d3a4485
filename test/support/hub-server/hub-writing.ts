import { LargeStorage } from './large-storage.ts';
import { type HubRepository, hubRepository, isLargeFile } from './repositories.ts';

/** What a request for writing is answered. */
export interface WriteAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request for writing. */
export interface WriteRequest {
  readonly url: URL;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Whose token it is; undefined for none that lets in. */
  readonly account: { readonly name: string; readonly canWrite: boolean } | undefined;
}

/** The repositories of the stand-in, for who writes to them. */
export interface Repositories {
  find(name: string, branch?: string): HubRepository | undefined;
  put(repository: HubRepository): void;
}

const refused = (status: number, error: string, code = ''): WriteAnswer => ({
  status,
  body: { error },
  headers: { 'x-error-message': error, ...(code !== '' && { 'x-error-code': code }) },
});

/**
 * The endpoints by which the Hub is written to: repositories, branches, Git LFS with parts, commits; as
 * huggingface_hub and `@huggingface/hub` call them, and with the Hub's own refusals.
 */
export class HubWriting {
  /** Files of more bytes are taken in parts of so many. */
  partBytes = Number.POSITIVE_INFINITY;
  /** Bytes that private repositories may take. */
  quota = Number.POSITIVE_INFINITY;
  readonly storage = new LargeStorage();
  readonly #repositories: Repositories;
  readonly #origins: () => { readonly hub: string; readonly storage: string };

  constructor(
    repositories: Repositories,
    origins: () => { readonly hub: string; readonly storage: string },
  ) {
    this.#repositories = repositories;
    this.#origins = origins;
  }

  /** A request to the Hub itself. */
  answer(request: WriteRequest): WriteAnswer {
    const { url, account } = request;
    const path = decodeURIComponent(url.pathname);
    if (path.startsWith('/complete/')) return this.#complete(path.split('/')[2]!, request);
    if (account === undefined) return refused(401, 'Invalid username or password.');
    if (path === '/api/repos/create') return this.#create(request);
    if (path === '/api/validate-yaml') return { status: 200, body: { errors: [], warnings: [] } };
    const [, name, action = ''] =
      /^\/api\/models\/([^/]+\/[^/]+)\/(.*)$/.exec(path) ??
      /^\/([^/]+\/[^/]+)\.git\/info\/(lfs\/objects\/.*)$/.exec(path) ??
      [];
    if (name === undefined) return refused(404, 'Not found');
    const repository = this.#repositories.find(name);
    if (repository === undefined) return refused(404, 'Repository not found', 'RepoNotFound');
    if (!account.canWrite || !name.startsWith(`${account.name}/`)) {
      return refused(403, 'Forbidden: you must use a write token to upload to a repository.');
    }
    const [, what, branch = ''] = /^([\w-]+)\/(.*)$/.exec(action) ?? [];
    if (what === 'branch') return this.#branch(repository, branch);
    if (action === 'lfs/objects/batch') return this.#batch(repository, request);
    if (action === 'lfs/objects/verify') return this.#verify(request);
    if (this.#repositories.find(name, branch) === undefined) {
      return refused(404, `Invalid rev id: ${branch}`, 'RevisionNotFound');
    }
    if (what === 'preupload') return preupload(request);
    return what === 'commit' ? this.#commit(name, branch, request) : refused(404, 'Not found');
  }

  /** A request to the storage, which knows nobody. */
  store({ url, body, headers }: WriteRequest): WriteAnswer {
    const [, oid, part] = /^\/lfs\/([0-9a-f]{64})(?:\/(\d+))?$/.exec(url.pathname) ?? [];
    if (oid === undefined) return { status: 403 };
    if (headers['authorization'] !== undefined) return { status: 400 };
    if (headers['content-length'] === undefined) return { status: 411 };
    if (part === undefined) return { status: this.storage.put(oid, body) ? 200 : 400 };
    return { status: 200, headers: { etag: this.storage.putPart(oid, Number(part), body) } };
  }

  #create({ body, account }: WriteRequest): WriteAnswer {
    const {
      name,
      organization = account!.name,
      visibility,
      type = 'model',
    } = JSON.parse(String(body));
    if (type !== 'model') return refused(400, 'Invalid type');
    if (!account!.canWrite || organization !== account!.name) {
      return refused(
        403,
        `You don't have the rights to create a model under the namespace "${organization}"`,
      );
    }
    const full = `${organization}/${name}`;
    if (this.#repositories.find(full) !== undefined) {
      return refused(409, 'You already created this model repo');
    }
    const access = visibility === 'private' ? 'private' : 'public';
    const files = { '.gitattributes': '*.safetensors filter=lfs diff=lfs merge=lfs -text\n' };
    this.#repositories.put(hubRepository('model', full, files, { access }));
    return { status: 200, body: { url: `${this.#origins().hub}/${full}`, name: full, id: full } };
  }

  #branch(repository: HubRepository, branch: string): WriteAnswer {
    if (this.#repositories.find(repository.name, branch) !== undefined) {
      return refused(409, 'Reference already exists');
    }
    this.#repositories.put({ ...repository, branches: new Set([branch]) });
    return { status: 201 };
  }

  #batch({ name, access }: HubRepository, { body }: WriteRequest): WriteAnswer {
    const { operation, objects, hash_algo: algorithm, transfers } = JSON.parse(String(body));
    if (operation !== 'upload' || !['sha256', 'sha_256'].includes(algorithm))
      return refused(422, 'No');
    const { hub, storage } = this.#origins();
    return {
      status: 200,
      body: {
        transfer: transfers.includes('multipart') ? 'multipart' : 'basic',
        objects: objects.map(({ oid, size }: { oid: string; size: number }) => {
          if (this.storage.get(oid) !== undefined) return { oid, size };
          if (access === 'private' && size > this.quota) {
            return { oid, size, error: { code: 403, message: QUOTA } };
          }
          const verify = { href: `${hub}/${name}.git/info/lfs/objects/verify` };
          if (size <= this.partBytes) {
            return { oid, size, actions: { upload: { href: `${storage}/lfs/${oid}` }, verify } };
          }
          const count = Math.ceil(size / this.partBytes);
          const numbers = Array.from({ length: count }, (_, index) => index + 1);
          const addresses = numbers.map((part) => [
            String(part).padStart(5, '0'),
            `${storage}/lfs/${oid}/${part}`,
          ]);
          const header = { chunk_size: String(this.partBytes), ...Object.fromEntries(addresses) };
          return {
            oid,
            size,
            actions: { upload: { href: `${hub}/complete/${oid}`, header }, verify },
          };
        }),
      },
    };
  }

  #complete(oid: string, { body }: WriteRequest): WriteAnswer {
    const { parts } = JSON.parse(String(body));
    return this.storage.complete(oid, parts)
      ? { status: 200, body: {} }
      : refused(400, 'Bad parts');
  }

  #verify({ body }: WriteRequest): WriteAnswer {
    const { oid, size } = JSON.parse(String(body));
    return this.storage.get(oid)?.length === size ? { status: 200 } : refused(404, 'No object');
  }

  #commit(name: string, branch: string, { body }: WriteRequest): WriteAnswer {
    const before = this.#repositories.find(name, branch)!;
    const lines = String(body)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const files = Object.fromEntries(
      [...before.files.values()].map(({ path, content }) => [path, content]),
    );
    for (const { key, value } of lines) {
      if (key === 'header') {
        if (!value.summary) return refused(400, 'A commit needs a summary');
        if (value.parentCommit !== undefined && value.parentCommit !== before.commit) {
          return refused(412, 'A commit has happened since. Please refresh and try again.');
        }
      } else if (key === 'file') {
        files[value.path] = Buffer.from(value.content, value.encoding);
      } else if (key === 'lfsFile') {
        const content = this.storage.get(value.oid);
        if (content?.length !== value.size) return refused(400, `No LFS object ${value.oid}`);
        files[value.path] = content!;
      }
    }
    const base = /^base_model: (.*)$/m.exec(String(files['README.md'] ?? ''))?.[1];
    if (base !== undefined && !/^"?[\w.-]+\/[\w.-]+"?$/.test(base)) {
      return refused(
        400,
        `Invalid metadata in README.md. - "base_model" with value ${base} is not valid.`,
      );
    }
    const { access, branches } = before;
    const others = new Set([...branches].filter((each) => each !== branch));
    if (others.size > 0) this.#repositories.put({ ...before, branches: others });
    const made = hubRepository('model', name, files, { access, branches: new Set([branch]) });
    this.#repositories.put(made);
    const commitUrl = `${this.#origins().hub}/${name}/commit/${made.commit}`;
    return {
      status: 200,
      body: { success: true, commitOid: made.commit, commitUrl, hookOutput: '' },
    };
  }
}

const QUOTA =
  'Private repository storage limit reached, please upgrade your plan to increase your private storage limit.';

function preupload({ body }: WriteRequest): WriteAnswer {
  const { files } = JSON.parse(String(body)) as {
    files: { path: string; size: number; sample: string }[];
  };
  const answers = files.map(({ path, size }) => ({
    ...{ path, shouldIgnore: false, oid: null },
    uploadMode: isLargeFile(path, size) ? 'lfs' : 'regular',
  }));
  return { status: 200, body: { files: answers } };
}
