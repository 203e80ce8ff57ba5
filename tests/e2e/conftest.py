"""What tests of the installed command share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command, command
from tests.mesh.beeps import conversation, write_wav

TALK = conversation(24)
"""17 s: one chunk."""


@pytest.fixture
def voxmesh(tmp_path: Path) -> Iterator[Command]:
    """The command in folders of its own, which it leaves without processes or temporary files."""
    with command(tmp_path) as found:
        yield found
        assert not found.left_running()
        assert not [*found.temporary.glob("voxmesh-*")]


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A recording that the test engines hear words in."""
    return write_wav(tmp_path / "talk.wav", TALK)
