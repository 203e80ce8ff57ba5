"""What every record of the contract has in common."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Milliseconds = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
EngineName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class Record(BaseModel):
    """An immutable fact.

    Unknown fields are ignored, so that during a rolling upgrade an older consumer can read what a
    newer producer writes. Everything a person types derives from `Options`, which forbids them.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", ser_json_inf_nan="null")


class Options(BaseModel):
    """Something a user asks for: an unknown field is a mistake and is refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Span(Record):
    """A stretch of time, end exclusive."""

    start_ms: Milliseconds = Field(description="first instant, in milliseconds")
    end_ms: Milliseconds = Field(description="first instant after it, in milliseconds")

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end_ms < self.start_ms:
            raise ValueError(
                f"a span ends at {self.end_ms} ms, before its start {self.start_ms} ms"
            )
        return self

    @property
    def duration_ms(self) -> int:
        """Length in milliseconds."""
        return self.end_ms - self.start_ms


class Notice(Record):
    """Something a reader should know: a part is missing or poorer than asked for."""

    code: str = Field(description="for programs: no-speech, lost-chunk, lost-stage, deadline, …")
    message: str = Field(description="for people: one sentence")
    start_ms: Milliseconds | None = Field(default=None, description="where, when not everywhere")
    end_ms: Milliseconds | None = None
