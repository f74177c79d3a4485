"""Writes golden/reports/: what the published packages write for the events of one short run.

    events.json         the events, in the words of this project
    tensorboard.bin     TensorBoard's RecordWriter over torch's summaries
    mlflow/             files of the run in the file store of MLflow's client, without its times
    wandb.bin           W&B's container of its records

Needs requirements-reports.txt. wandb 0.19 is the last that has the container in Python; LORAFA_WANDB_PYTHON
names an environment with wandb==0.19.11.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden" / "reports"
TIME = 1_700_000_000_125

SCALARS = [
    {"time": TIME, "step": 0, "name": "eval/loss", "value": 2.5},
    {"time": TIME + 1, "step": 1, "name": "train/loss", "value": 0.1},
    {"time": TIME + 2, "step": 2, "name": "train/loss", "value": 0.0},
    {"time": TIME + 3, "step": 300, "name": "train/learning_rate", "value": 1e-7},
    {"time": TIME + 4, "step": 70_000, "name": "train/num_tokens", "value": 123_456_789},
]
TEXT = {"time": TIME + 5, "step": 4, "name": "samples/1", "markdown": "**Prompt**\n\n    Zürich? ✓"}
START = {"time": TIME, "step": 3}
# Of texts only the length is stored: one fills a block of the container but for a few bytes, in which no
# piece can begin, and one is longer than two blocks.
HISTORIES = [
    {"train/loss": 0.1, "train/global_step": 1, "_step": 0},
    {"samples/1": 32_362, "train/global_step": 1, "_step": 1},
    {"samples/1": 70_000, "train/global_step": 2, "_step": 2},
    {"eval/loss": 2.5, "train/global_step": 300, "_step": 3},
]


def tensorboard() -> None:
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.summary.writer.record_writer import RecordWriter
    from torch.utils.tensorboard.summary import scalar, text

    with open(GOLDEN / "tensorboard.bin", "wb") as file:
        writer = RecordWriter(file)

        def write(time: int, step: int, **what) -> None:
            writer.write(Event(wall_time=time / 1000, step=step, **what).SerializeToString())

        write(TIME, 0, file_version="brain.Event:2")
        write(START["time"], START["step"], session_log=SessionLog(status=SessionLog.START))
        for each in SCALARS:
            write(each["time"], each["step"], summary=scalar(each["name"], each["value"]))
        write(TEXT["time"], TEXT["step"], summary=text(TEXT["name"], TEXT["markdown"]))


def mlflow() -> None:
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    from mlflow.tracking import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        client = MlflowClient(tracking_uri=f"file:{folder}/mlruns")
        run = client.create_run("0", run_name="first", start_time=TIME).info.run_id
        for each in SCALARS:
            name = each["name"].split("/")[1]
            client.log_metric(run, name, each["value"], timestamp=each["time"], step=each["step"])
        client.log_param(run, "training.method", "lorafa")
        client.set_terminated(run, "FINISHED", end_time=TIME + 9)
        source = Path(folder) / "mlruns" / "0"
        target = GOLDEN / "mlflow"
        shutil.rmtree(target, ignore_errors=True)
        for name in ["metrics", "params"]:
            shutil.copytree(source / run / name, target / name)
        for path, name in [(source, "experiment.yaml"), (source / run, "run.yaml")]:
            text = (path / "meta.yaml").read_text()
            text = text.replace(run, "RUN").replace(folder, "/FOLDER")
            # The time at which the store was made.
            (target / name).write_text(re.sub(r"(creation|last_update)_time: \d+", r"\1_time: 0", text))


def wandb_records() -> list[str]:
    from wandb.proto import wandb_internal_pb2 as pb

    records = [
        pb.Record(header=pb.HeaderRecord(version_info={"producer": "lorafa", "min_consumer": "0.70.0"})),
        pb.Record(
            run=pb.RunRecord(
                run_id="0123abcd",
                project="lorafa",
                display_name="Zürich",
                config={"update": [{"key": "lora", "value_json": '{"r":2}'}]},
                start_time={"seconds": TIME // 1000, "nanos": TIME % 1000 * 1_000_000},
                resume=True,
            )
        ),
        pb.Record(metric={"name": "train/global_step", "options": {"defined": True}}),
        pb.Record(
            metric={
                "glob_name": "*",
                "step_metric": "train/global_step",
                "options": {"defined": True, "step_sync": True},
            }
        ),
    ]
    for values in HISTORIES:
        said = {**values, **({"samples/1": "x" * values["samples/1"]} if "samples/1" in values else {})}
        items = [{"key": key, "value_json": json.dumps(value)} for key, value in said.items()]
        records.append(pb.Record(history={"item": items, "step": {"num": values["_step"]}}))
        if "samples/1" not in values:
            records.append(pb.Record(summary={"update": items}))
    records.append(pb.Record(exit={"exit_code": 255, "runtime": 7}))

    for number, record in enumerate(records, start=1):
        record.num = number
    return [record.SerializeToString(deterministic=True).hex() for record in records]


def store_records() -> None:
    """In the other environment: puts what comes on stdin into a log."""
    import wandb
    from wandb.sdk.internal.datastore import DataStore

    wandb._assert_is_internal_process = True
    file = GOLDEN / "wandb.bin"
    file.unlink(missing_ok=True)
    left = []
    store = DataStore()
    store.open_for_write(str(file))
    for record in json.load(sys.stdin):
        store._write_data(bytes.fromhex(record))
        left.append(-store._index % 32_768)
    store.close()
    assert any(0 < count < 7 for count in left), left


if __name__ == "__main__":
    if sys.argv[1:] == ["store"]:
        store_records()
        sys.exit()
    GOLDEN.mkdir(parents=True, exist_ok=True)
    events = {"time": TIME, "start": START, "scalars": SCALARS, "text": TEXT, "histories": HISTORIES}
    (GOLDEN / "events.json").write_text(json.dumps(events, indent=1) + "\n")
    tensorboard()
    mlflow()
    command = [os.environ["LORAFA_WANDB_PYTHON"], __file__, "store"]
    subprocess.run(command, input=json.dumps(wandb_records()), text=True, check=True)
