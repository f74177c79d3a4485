"""Reads what a run was reported in with the programs that it is for, and compares every number with its journal.

python check_reports.py RUN [LOGGING_DIR]

Needs requirements-reports.txt. `wandb sync` sends to a server of this script, on this computer.
"""

import gzip
import http.server
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

EVALUATION = ["eval_loss", "eval_perplexity", "eval_runtime"]
STEP = ["epoch", "loss", "grad_norm", "learning_rate", "num_tokens", "tokens_per_second"]
END = ["train_loss", "train_runtime"]
NAMES = {"step": STEP, "eval": EVALUATION, "completed": END}


def told(entries: list[dict], is_kept: bool) -> list[tuple[str, int, float]]:
    """Names, steps and values in their order; without those of branches that were left, or with them."""
    values = []
    for entry in entries:
        if entry["type"] == "started" and is_kept:
            values = [value for value in values if value[1] <= entry["run"]["resumedAt"]]
        step = entry.get("steps") if entry["type"] == "completed" else entry.get("step")
        values += [(name, step, entry[name]) for name in NAMES.get(entry["type"], [])]
    return [(name, step, math.nan if value is None else value) for name, step, value in values]


def grouped(name: str) -> str:
    return f"eval/{name[5:]}" if name.startswith("eval_") else f"train/{name}"


def compare(program: str, actual: list, expected: list) -> None:
    difference = [pair for pair in zip(sorted(actual), sorted(expected)) if pair[0] != pair[1]]
    if len(actual) != len(expected) or difference:
        sys.exit(f"{program}: {len(actual)} values for {len(expected)}; {difference[:5]}")
    print(f"{program}: {len(actual)} values, all as in the journal")


def float32(value: float) -> float:
    return struct.unpack("f", struct.pack("f", value))[0]


def tensorboard(folder: Path, entries: list[dict]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer

    expected = [(grouped(name), step, float32(value)) for name, step, value in told(entries, True)]
    everything = {"scalars": 0, "tensors": 0}
    old = EventAccumulator(str(folder), size_guidance=everything)
    old.Reload()
    actual = [
        (tag, event.step, event.value)
        for tag in old.Tags()["scalars"]
        for event in old.Scalars(tag)
    ]
    compare("TensorBoard (EventAccumulator)", actual, expected)

    multiplexer = EventMultiplexer(tensor_size_guidance={"scalars": 0, "text": 0})
    multiplexer.AddRunsFromDirectory(str(folder.parent))
    multiplexer.Reload()
    run = multiplexer.GetAccumulator(folder.name)
    texts = [tag for tag in run.Tags()["tensors"] if tag.endswith("text_summary")]
    actual = [
        (tag, event.step, event.tensor_proto.float_val[0])
        for tag in set(run.Tags()["tensors"]) - set(texts)
        for event in run.Tensors(tag)
    ]
    compare("TensorBoard (as its web application reads)", actual, expected)
    for tag in texts:
        print(f"  {tag} at steps {[event.step for event in run.Tensors(tag)]}")


def mlflow(folder: Path, run_id: str, entries: list[dict]) -> None:
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    from mlflow.artifacts import load_text
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=folder.as_uri())
    runs = {run.info.run_id: run for run in client.search_runs(["0"])}
    run = runs[run_id]
    actual = [
        (name, metric.step, metric.value)
        for name in run.data.metrics
        for metric in client.get_metric_history(run_id, name)
    ]
    compare("MLflow", actual, told(entries, True))
    artifacts = [artifact.path for artifact in client.list_artifacts(run_id)]
    configuration = json.loads(load_text(f"{run.info.artifact_uri}/configuration.json"))
    print(f"  {run.info.run_name} is {run.info.status}, {len(run.data.params)} parameters, {artifacts}")
    assert run.data.params["training.method"] == configuration["training"]["method"]


class Wandb(http.server.BaseHTTPRequestHandler):
    """As much of W&B's server as `wandb sync` needs; keeps the history that it is sent."""

    history: list[dict] = []
    exits: list[int] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        answer = {}
        if self.path == "/graphql":
            answer = {"data": self.answer(json.loads(body))}
        elif self.path.endswith("/file_stream"):
            said = json.loads(body)
            lines = said.get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
            self.history.extend(json.loads(line) for line in lines)
            if said.get("complete"):
                self.exits.append(said["exitcode"])
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST

    def answer(self, request: dict) -> dict:
        run = {
            "id": "run",
            "name": request["variables"].get("name"),
            "displayName": "run",
            "config": "{}",
            "project": {"id": "project", "name": "lorafa", "entity": {"id": "e", "name": "e"}},
            "historyLineCount": len(self.history),
            "eventsLineCount": 0,
            "logLineCount": 0,
            "historyTail": json.dumps([json.dumps(line) for line in self.history[-1:]]),
            "eventsTail": "[]",
            "summaryMetrics": "{}",
            "wandbConfig": "{}",
            "tags": [],
        }
        known = {"id": "project", "name": "lorafa", "entity": {"id": "e", "name": "e"}, "bucket": run}
        return {
            "viewer": {"id": "viewer", "username": "u", "entity": "e", "flags": "{}"},
            "serverInfo": {"features": []},
            "model": known if self.history else None,
            "upsertBucket": {"bucket": run, "inserted": not self.history},
        }

    def log_message(self, *_: object) -> None:
        pass


def wandb(folder: Path, run_id: str, entries: list[dict]) -> None:
    logs = sorted(folder.glob(f"offline-run-*-{run_id}"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wandb)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "HOME": home,
            "WANDB_BASE_URL": f"http://127.0.0.1:{server.server_port}",
            "WANDB_API_KEY": "0" * 40,
            "WANDB_ERROR_REPORTING": "false",
        }
        for log in logs:
            # What was synced is marked, and not here.
            copy = shutil.copytree(log, Path(home) / log.name)
            program = Path(sys.executable).parent / "wandb"
            subprocess.run([program, "sync", copy], env=environment, check=True)
    server.shutdown()
    apart = {"train/global_step", "_step", "_runtime", "_timestamp"}
    actual = [
        (name, line["train/global_step"], value)
        for line in Wandb.history
        for name, value in line.items()
        if name not in apart and not name.startswith("samples/")
    ]
    expected = [(grouped(name), step, value) for name, step, value in told(entries, False)]
    compare(f"W&B (wandb sync of {len(logs)} logs)", actual, expected)
    print(f"  _step {[line['_step'] for line in Wandb.history]}, exit codes {Wandb.exits}")


def main(run: Path, logging_dir: Path) -> None:
    entries = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    record = json.loads((run / "run.json").read_text())
    run_id = record["tracked"]["id"]
    targets = record["config"]["training"]["report_to"]
    if "tensorboard" in targets:
        [folder] = logging_dir.glob(f"*-{run_id[:8]}")
        tensorboard(folder, entries)
    if "mlflow" in targets:
        mlflow(logging_dir / "mlruns", run_id, entries)
    if "wandb" in targets:
        wandb(logging_dir / "wandb", run_id[:8], entries)


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    main(folder, Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else folder / "runs")
