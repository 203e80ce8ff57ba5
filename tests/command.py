"""The installed command, as a person at a terminal has it, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(sys.executable).parent / "voxmesh"
PLUGIN = Path(__file__).parent / "mesh" / "plugin"
WITHIN_S = 120
STAGES = ("transcribe", "diarize", "emotion-audio", "emotion-text")


@dataclass(frozen=True)
class Command:
    """`voxmesh` with a state folder, a working folder and a folder for temporary files."""

    folder: Path
    temporary: Path
    variables: dict[str, str]

    @property
    def state(self) -> Path:
        """Where it keeps its state."""
        return self.folder / "state"

    @property
    def environment(self) -> dict[str, str]:
        """What it reads its settings from."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("VOXMESH_")}
        paths = [str(PLUGIN), os.environ.get("PYTHONPATH", "")]
        own = {
            "PYTHONPATH": os.pathsep.join(paths),
            "TMPDIR": str(self.temporary),
            "HF_HUB_OFFLINE": "1",
            "VOXMESH_TEST_MARKS": str(self.temporary),
            "VOXMESH_STATE_DIR": str(self.state),
            "VOXMESH_PROCESSES": "2",
        }
        return inherited | own | self.variables

    def __call__(
        self, *arguments: str | Path, within_s: float = WITHIN_S, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """What a command says and leaves when it ends."""
        return subprocess.run(
            [SCRIPT, *arguments],
            env=self.environment | variables,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=within_s,
        )

    def start(self, *arguments: str | Path, **variables: str) -> subprocess.Popen[str]:
        """A command that runs until someone ends it."""
        return subprocess.Popen(
            [SCRIPT, *arguments],
            env=self.environment | variables,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def left_running(self) -> list[str]:
        """Command lines of processes that have this environment or are on its private Redis."""
        marks = (f"VOXMESH_STATE_DIR={self.state}".encode(), str(self.temporary).encode())
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes()
                known = (process / "environ").read_bytes() + line
            except OSError:
                continue  # it ended, or is not ours to look at
            if any(mark in known for mark in marks):
                found.append(line.replace(b"\0", b" ").decode())
        return found


@contextmanager
def command(folder: Path, **variables: str) -> Iterator[Command]:
    """The command, with nothing left behind by commands before it."""
    # Sockets lie there, whose paths must be short.
    with tempfile.TemporaryDirectory(prefix="vm-") as temporary:
        yield Command(folder, Path(temporary), variables)


def with_engines(name: str = "beeps", **others: str) -> list[str]:
    """Options that choose test engines: `name`, or others by stage as in emotion_text="none"."""
    chosen = dict.fromkeys(STAGES, name) | {k.replace("_", "-"): v for k, v in others.items()}
    return [part for stage, names in chosen.items() for part in ("--engines", f"{stage}={names}")]


def files_of(folder: Path) -> dict[str, str]:
    """A job's files, without what tells it from another job on the same recording."""
    transcript: dict[str, Any] = json.loads((folder / "transcript.json").read_text())
    found = {path.name: path.read_text() for path in sorted(folder.iterdir())}
    for own in (transcript["job_id"], transcript["created_at"]):
        found = {name: text.replace(own, "") for name, text in found.items()}

    return found
