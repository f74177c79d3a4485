"""The run that this folder was made for, on Hugging Face Accelerate: its steps were prepared, and are computed here.

    python run.py                               one process
    torchrun --nproc-per-node 4 run.py          one for each of four devices; `accelerate launch` does as well
    python run.py --resume                      goes on from the newest checkpoint, if there is one

The processes share the batches of a step, so that a run learns the same with any number of them.
"""

import argparse
import json
import math
import os
import shutil
import sys
import time
from pathlib import Path

import packages

HERE = Path(__file__).resolve().parent


def main() -> None:
    settings = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
    options = read_options(settings)
    problem = packages.problem()
    if problem is not None:
        sys.exit(f"{problem['message']}; run: {problem['install']}")
    for plugin in ("FSDP", "DEEPSPEED", "MEGATRON_LM"):
        if os.environ.get(f"ACCELERATE_USE_{plugin}", "").lower() in ("1", "true"):
            sys.exit(f"The configuration of Accelerate asks for {plugin}; this run says itself how its model is divided (settings.json): launch with --multi_gpu.")
    # Only now: this loads PyTorch.
    from trainer import Refusal

    try:
        run(settings, options)
    except Refusal as refusal:
        sys.exit(str(refusal))


def read_options(settings: dict) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=settings["load"]["model"], help="folder of the base model, or its name on the Hugging Face Hub (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=HERE / "output", help="folder for checkpoints, metrics and the adapter (default: %(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default=settings["device"], help="what to compute on (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in the output folder")
    return parser.parse_args()


def run(settings: dict, options: argparse.Namespace) -> None:
    from trainer import Refusal, Trainer

    # As torchrun and `accelerate launch` say it.
    rank, num_processes = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    trainer = Trainer(
        rank=rank,
        num_processes=num_processes,
        local_rank=int(os.environ.get("LOCAL_RANK", rank)),
        local_processes=int(os.environ.get("LOCAL_WORLD_SIZE", num_processes)),
        meeting={"init_method": "env://"},
        device=options.device,
        mixed_precision=settings["mixed_precision"],
        distributed_type=settings["distributed_type"],
    )
    found = checkpoints(options.output)
    if found and not options.resume:
        raise Refusal("output.not_writable", f"{options.output} has a run; go on with it by --resume, or give another --output.")
    done = max(found, default=0)
    if trainer.total(done) != done * num_processes:
        raise Refusal("checkpoint.mismatch", f"Not every machine finds the same checkpoints in {options.output}; give a folder that all of them see by --output.")
    load = settings["load"]
    revision = load["revision"] if options.model == load["model"] else None
    start = found.get(done, HERE / "adapter")
    trainer.load(**load | {"model": options.model, "revision": revision}, start=str(start), steps=done)
    output = Output(options.output, done, settings["save_total_limit"]) if rank == 0 else None
    evaluation = list(lines(HERE / "evaluation.jsonl"))
    step, began = 0, time.monotonic()
    for command in lines(HERE / "steps.jsonl"):
        kind = command.pop("do")
        step += kind == "step"
        # What comes after a step was done before its checkpoint was saved.
        if found and step <= done:
            continue
        if kind == "save":
            tensors, moments = trainer.tensors(), trainer.moments()
            if output is not None:
                output.save(tensors, moments, step)
            continue
        row = {"step": step, "seconds": round(time.monotonic() - began, 3)}
        if kind == "evaluate":
            answer = trainer.evaluate([held_out["batch"] for held_out in evaluation])
            row["eval_loss"] = number(answer["loss"]) / sum(held_out["supervised"] for held_out in evaluation)
        else:
            answer = trainer.step(**command)
            row |= {"loss": number(answer["loss"]), "grad_norm": number(answer["grad_norm"]), "learning_rate": command["learning_rate"]}
        if output is not None:
            output.tell(row)
        if not all(map(math.isfinite, row.values())):
            raise Refusal("training.not_finite", f"Step {step} is no number any more: {row}; use a smaller learning rate.")
    tensors = trainer.tensors()
    if output is not None:
        output.save_adapter(tensors, output.folder)


def number(answer: float | None) -> float:
    """What is answered, where JSON has no word for it."""
    return math.nan if answer is None else answer


def lines(file: Path):
    with file.open(encoding="utf-8") as opened:
        for line in opened:
            yield json.loads(line)


def measured(file: Path, done: int):
    """What was measured up to a checkpoint: what came after it, or without one, is measured again."""
    if done == 0 or not file.exists():
        return
    with file.open(encoding="utf-8") as opened:
        for line in opened:
            try:
                row = json.loads(line)
            except ValueError:
                # It was being written when the run ended.
                return
            if row["step"] <= done:
                yield row


def checkpoints(folder: Path) -> dict:
    """The checkpoints of a run by their steps."""
    found = folder.glob("checkpoint-*")
    return {int(path.name.split("-")[1]): path for path in found if path.name.split("-")[1].isdigit()}


class Output:
    """What comes of a run: `metrics.jsonl`, a folder `checkpoint-N` for each that is kept, and last the adapter."""

    def __init__(self, folder: Path, done: int, limit: int):
        self.folder = folder
        self._limit = limit
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "metrics.jsonl"
        kept = file.with_name(f"{file.name}.tmp")
        rows = [json.dumps(row) + "\n" for row in measured(file, done)]
        kept.write_text("".join(rows), encoding="utf-8")
        kept.replace(file)
        self._metrics = file.open("a", encoding="utf-8")

    def tell(self, row: dict) -> None:
        self._write(row)
        print(json.dumps(row), flush=True)

    def save(self, tensors: dict, moments: dict, step: int) -> None:
        """All that it takes to go on; the folder has its name when it is complete."""
        import trainer

        folder = self.folder / f"checkpoint-{step}"
        partial = folder.with_name(f"{folder.name}.tmp")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        self.save_adapter(tensors, partial)
        trainer.save_moments(moments, partial)
        partial.rename(folder)
        found = checkpoints(self.folder)
        for old in sorted(found)[: -self._limit]:
            shutil.rmtree(found[old])

    def save_adapter(self, tensors: dict, folder: Path) -> None:
        import trainer

        for file in (HERE / "adapter").iterdir():
            shutil.copy(file, folder)
        trainer.save_adapter(tensors, folder)

    def _write(self, row: dict) -> None:
        self._metrics.write(json.dumps(row) + "\n")
        self._metrics.flush()


main()
