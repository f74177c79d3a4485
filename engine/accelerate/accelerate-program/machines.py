"""How the processes of several machines hear of a run that only the first machine has."""

import json
from datetime import timedelta
from pathlib import Path

from torch.distributed import TCPStore

# The store takes 8 MiB at once.
PIECE = 4 << 20


class Relay:
    """Hands the commands of rank 0 on to the processes of other machines, through the store by which all found each
    other. What goes there are JSON and the files of an adapter: nothing that is executed."""

    def __init__(self, *, rank: int, followers: int, host: str, port: int, num_processes: int, timeout: float):
        """`followers` are the processes of the other machines."""
        self._timeout = timedelta(seconds=timeout)
        self.store = TCPStore(host, port, num_processes, is_master=rank == 0, timeout=self._timeout)
        self._followers = followers
        self._count = 0

    def send(self, command: dict) -> None:
        """Tells the other machines a command, with the files that it begins from."""
        files = sorted(Path(command["start"]).iterdir()) if command["do"] == "load" else []
        self._send(json.dumps(command | {"files": [file.name for file in files]}).encode())
        for file in files:
            self._send(file.read_bytes())

    def receive(self, model: str, start: Path) -> dict:
        """The next command, with folders of this machine: that of the base model, and a new one to begin from."""
        command = json.loads(self._receive())
        names = command.pop("files")
        if command["do"] == "load":
            start.mkdir()
            for name in names:
                (start / Path(name).name).write_bytes(self._receive())
            command |= {"model": model, "start": str(start)}
        return command

    def end(self) -> None:
        """Waits until all have heard the last command: the store goes with this process."""
        self.store.wait([f"{self._count - 1}/heard"], self._timeout)

    def _send(self, content: bytes) -> None:
        pieces = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
        for index, piece in enumerate(pieces):
            self.store.set(f"{self._count}/{index}", piece)
        # Last, for it is what they wait for.
        self.store.set(f"{self._count}", str(len(pieces)))
        self._count += 1

    def _receive(self) -> bytes:
        name = f"{self._count}"
        self.store.wait([name], self._timeout)
        keys = [f"{name}/{index}" for index in range(int(self.store.get(name)))]
        content = b"".join(self.store.get(key) for key in keys)
        if self.store.add(f"{name}/readers", 1) == self._followers:
            for key in [*keys, name, f"{name}/readers"]:
                self.store.delete_key(key)
            self.store.set(f"{name}/heard", "")
            self.store.delete_key(f"{self._count - 1}/heard")
        self._count += 1
        return content
