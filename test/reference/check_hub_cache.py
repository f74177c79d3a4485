"""Looks at a cache of the Hugging Face Hub with Python's huggingface_hub, as the environment says.

python check_hub_cache.py verify KIND NAME FILE...   finds and verifies files that are in the cache
python check_hub_cache.py fetch KIND NAME FILE...    brings them there

Prints one JSON object. HF_ENDPOINT names a server that knows the repository.
"""

import json
import sys

from huggingface_hub import HfApi, hf_hub_download, scan_cache_dir, try_to_load_from_cache


def main(task: str, kind: str, name: str, files: list[str]) -> None:
    if task == "fetch":
        paths = {file: hf_hub_download(name, file, repo_type=kind) for file in files}
        print(json.dumps({"paths": paths}))
        return
    offline = {
        file: hf_hub_download(name, file, repo_type=kind, local_files_only=True) for file in files
    }
    found = {file: try_to_load_from_cache(name, file, repo_type=kind) for file in files}
    verified = HfApi().verify_repo_checksums(name, repo_type=kind)
    scan = scan_cache_dir()
    repositories = [repo for repo in scan.repos if repo.repo_id == name and repo.repo_type == kind]
    print(
        json.dumps(
            {
                "paths": offline,
                "same": found == offline,
                "verified": verified.checked_count,
                "mismatches": [repr(each) for each in verified.mismatches],
                "extra": verified.extra_paths,
                "warnings": [str(warning) for warning in scan.warnings],
                "refs": [sorted(revision.refs) for repo in repositories for revision in repo.revisions],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
