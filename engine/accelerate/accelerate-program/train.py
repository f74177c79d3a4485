"""One process of a run on Hugging Face Accelerate: it computes what it is told to, and decides nothing.

LoRA-FA starts it, one for each rank, with a JSON object of settings as its argument. Commands come as lines of JSON
from standard input, and each is answered by a line to a descriptor of its own; of several machines the first has the
run, and the processes of the others get their commands from rank 0:

    load      the base model and an adapter to begin with, and the moments of its optimizer
    step      one optimizer step, from token ids and targets
    evaluate  the sum of the token losses of a batch
    fetch     what is trained, and the moments, into a safetensors file
    end       nothing more comes

Tokens, their order, the learning rate and everything on disk are the business of whoever sends the commands.
"""

import json
import os
import queue
import re
import shutil
import signal
import sys
import threading
import traceback
from datetime import timedelta
from pathlib import Path

import packages


# Where answers go: nobody else knows it, so that no library writes between them.
ANSWERS = 3


class Channel:
    """Commands and answers. Whatever libraries print goes to standard error, which ends up in the log."""

    def __init__(self, handover: str):
        try:
            self._answers = os.fdopen(ANSWERS, "w", encoding="utf-8")
        except OSError:
            sys.exit("What accelerate.python names hands no descriptors on to Python; name the interpreter itself")
        os.set_inheritable(ANSWERS, False)
        os.dup2(2, 1)
        # No library reads commands, or waits for an answer from a terminal.
        self._lines = os.fdopen(os.dup(0), "rb")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        self._handover = handover
        self._commands: "queue.SimpleQueue[dict]" = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._lines:
                self._commands.put(json.loads(line))
        finally:
            # Nobody is there any more who could want a step, whatever the main thread is computing: not
            # even where the last line was cut off.
            shutil.rmtree(self._handover, ignore_errors=True)
            end_group()

    def receive(self, timeout: float | None = None) -> dict:
        """The next command; after so many seconds without one, that there is none."""
        try:
            return self._commands.get(timeout=timeout)
        except queue.Empty:
            return {"do": "wait"}

    def answer(self, message: dict) -> None:
        self._answers.write(json.dumps(message, allow_nan=False) + "\n")
        self._answers.flush()


def end_group() -> None:
    """Ends this process with all that it and its libraries have started: each rank has a group of its own."""
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def main() -> None:
    settings = json.loads(sys.argv[1])
    handover = settings.pop("handover")
    channel = Channel(handover)
    try:
        problem = packages.problem()
        if problem is not None:
            channel.answer({"failed": problem})
            return
        # Only now: this loads PyTorch.
        from trainer import Refusal

        try:
            compute(channel, Path(handover), **settings)
        except Refusal as refusal:
            channel.answer({"failed": {"code": refusal.code, "message": str(refusal)}})
    except Exception as error:
        traceback.print_exc()
        channel.answer({"failed": failure(error)})


def compute(channel: Channel, handover: Path, timeout: float, machines: dict | None, model: str | None, **settings) -> None:
    from machines import Relay
    from trainer import Trainer, backends

    rank, num_processes = settings["rank"], settings["num_processes"]
    relay = None
    if machines is not None:
        followers = num_processes - num_processes // machines.pop("count")
        relay = Relay(rank=rank, num_processes=num_processes, followers=followers, timeout=timeout, **machines)
    # On one machine by a file: no port is opened to which anybody could connect.
    place = {"init_method": f"file://{handover / 'rendezvous'}"} if relay is None else {"store": relay.store}
    trainer = Trainer(**settings, meeting=place | {"timeout": timedelta(seconds=timeout)})
    channel.answer({"packages": packages.versions(), "backends": backends(), "device": trainer.device})
    commands = {
        "load": trainer.load,
        "step": trainer.step,
        "evaluate": trainer.evaluate,
        "fetch": trainer.fetch,
    }
    if relay is not None and model is not None:
        follow(channel, commands, lambda: relay.receive(model, handover / "start"))
        return
    leads = relay is not None and rank == 0
    while True:
        # Others take a first machine that says nothing for one that is gone.
        command = channel.receive(timeout / 3 if leads else None)
        if leads:
            relay.send(command)
        kind = command.pop("do")
        if kind == "wait":
            continue
        if kind == "end":
            if leads:
                relay.end()
            channel.answer({})
            continue
        channel.answer(commands[kind](**command))


def follow(channel: Channel, commands: dict, receive) -> None:
    """Computes what rank 0 is told to, on another machine, until there is nothing more."""
    while True:
        command = receive()
        kind = command.pop("do")
        if kind == "end":
            channel.answer({})
            # Whoever has started this process ends it, when all are at this place.
            channel.receive()
        elif kind != "wait":
            commands[kind](**command)


def failure(error: Exception) -> dict:
    """An exception as code and words."""
    # Gloo begins with the place in its own source.
    words = re.sub(r"^\[[^\]]*\] *", "", str(error).strip().split("\n")[0])
    kind = type(error).__name__
    if isinstance(error, MemoryError) or kind == "OutOfMemoryError":
        return {"code": "python.out_of_memory", "message": f"{kind}: {words}"}
    if "EADDRINUSE" in words:
        port = re.search(r"port: (\d+)", words)
        message = f"Another program has port {port[1] if port else 'accelerate.main_process_port'} of the first machine; "
        return {"code": "device.unavailable", "message": message + "set accelerate.main_process_port to another one on all machines."}
    # Gloo has no exception of its own.
    if kind in ("DistNetworkError", "DistStoreError") or "gloo/transport" in str(error):
        return {"code": "training.rank_lost", "message": f"it hears nothing more of another one ({words})"}
    return {"code": "python.failed", "message": f"{kind}: {words}"}


main()
