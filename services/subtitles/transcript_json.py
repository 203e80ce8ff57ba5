"""The transcript itself as JSON, for programs."""

from __future__ import annotations

from voxmesh_schemas import Transcript


def to_json(transcript: Transcript) -> str:
    """The transcript in the order of its model; equal transcripts give equal bytes."""
    return transcript.model_dump_json(indent=2) + "\n"
