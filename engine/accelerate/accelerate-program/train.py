"""One process of a run on Hugging Face Accelerate: it computes what it is told to, and decides nothing.

LoRA-FA starts it, one for each rank, with a JSON object of settings as its argument. Commands come as lines of JSON
from standard input, and each is answered by a line to a descriptor of its own:

    load      the base model and an adapter to begin with, and the moments of its optimizer
    step      one optimizer step, from token ids and targets
    evaluate  the sum of the token losses of a batch
    fetch     what is trained, and the moments, into a safetensors file

Tokens, their order, the learning rate and everything on disk are the business of whoever sends the commands.
"""

import json
import os
import queue
import shutil
import signal
import sys
import threading
import traceback

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

    def receive(self) -> dict:
        return self._commands.get()

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
        from trainer import Refusal, Trainer

        try:
            # A file: no port is opened to which anybody could connect.
            trainer = Trainer(**settings, init_method="file://" + os.path.join(handover, "rendezvous"))
            channel.answer({"packages": packages.versions(), "device": trainer.device})
            commands = {
                "load": trainer.load,
                "step": trainer.step,
                "evaluate": trainer.evaluate,
                "fetch": trainer.fetch,
            }
            while True:
                command = channel.receive()
                channel.answer(commands[command.pop("do")](**command))
        except Refusal as refusal:
            channel.answer({"failed": {"code": refusal.code, "message": str(refusal)}})
    except Exception as error:
        traceback.print_exc()
        words = str(error).strip().split("\n")[0]
        out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        code = "python.out_of_memory" if out_of_memory else "python.failed"
        channel.answer({"failed": {"code": code, "message": f"{type(error).__name__}: {words}"}})


main()
