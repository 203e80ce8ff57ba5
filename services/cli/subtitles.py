"""The subtitles stage alone: writes captions from a transcript, and checks captions."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.cli.exits import FAILURE, SUCCESS
from services.cli.request import output_formats
from services.runtime.errors import BadInputError
from services.subtitles.captions import Captions
from services.subtitles.checking import Violation, violations
from services.subtitles.cues import bent_rules
from services.subtitles.custom_profile import profile_of, read_profile
from services.subtitles.hls import hls_files
from services.subtitles.notes import clock
from services.subtitles.profiles import PROFILES
from services.subtitles.readers import read_captions
from services.subtitles.render import FILE_NAMES, render
from services.subtitles.rules import Rule
from voxmesh_schemas import EmotionStyle, OutputFormat, SubtitleOptions, Transcript


def write(transcript: Path, formats: str, output: Path, profile: str, style: dict[str, Any]) -> int:
    """Write captions into a folder; `style` has what else `SubtitleOptions` takes."""
    wanted = output_formats(formats)
    options = subtitle_options(profile, style)
    try:
        record = Transcript.model_validate_json(transcript.read_bytes())
    except OSError as error:
        raise BadInputError(f"cannot read {transcript}: {error.strerror}") from error
    except ValidationError as error:
        raise BadInputError(f"{transcript} is not a transcript of voxmesh") from error
    captions = Captions(record, options)
    try:
        output.mkdir(parents=True, exist_ok=True)
        for form in wanted:
            _write(captions, form, output)
    except OSError as error:
        raise BadInputError(f"cannot write into {output}: {error.strerror}") from error
    cues = captions.cues()
    told = _counts(bent_rules(cues), "every rule is kept")
    sys.stdout.write(f"{output}: {len(cues)} cues, profile {captions.profile.name}: {told}\n")
    return SUCCESS


def check(
    file: Path, profile: str, language: str | None, frame_rate: str | None, *, as_json: bool
) -> int:
    """Tell every violation of a profile; gives 1 when there is one."""
    base, rules = _named(profile)
    held_to = profile_of(
        base, {**rules, **({"frames_per_second": frame_rate} if frame_rate else {})}
    )
    reading = read_captions(file)
    found = violations(reading, held_to, language)
    if as_json:
        print_json(file, profile, len(reading.captions), found)
    else:
        print_text(file, profile, len(reading.captions), found)
    return FAILURE if found else SUCCESS


def subtitle_options(profile: str, style: dict[str, Any]) -> SubtitleOptions:
    """The options of a job; `profile` is the name of one, or a TOML or JSON file.

    Raises:
        BadInputError: when they make no sense.
    """
    base, rules = _named(profile)
    try:
        style = {**style, "emotion": EmotionStyle(style.get("emotion", EmotionStyle.BOTH))}
        return SubtitleOptions(profile=base, rules=rules, **style)  # type: ignore[arg-type]  # checked by the model
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise BadInputError(f"{fault['loc'][0]}: {fault['msg']}") from error


def _named(profile: str) -> tuple[str, dict[str, Any]]:
    if profile in PROFILES:
        return profile, {}
    path = Path(profile)
    if path.suffix.lower() not in {".toml", ".json"}:
        known = ", ".join(PROFILES)
        raise BadInputError(f"--profile {profile!r} is none of: {known}, nor a .toml or .json file")
    return read_profile(path)


def _write(captions: Captions, form: OutputFormat, output: Path) -> None:
    if form is not OutputFormat.HLS:
        (output / FILE_NAMES[form]).write_bytes(render(captions, form))
        return
    folder = output / "hls"
    folder.mkdir(exist_ok=True)
    for name, text in hls_files(captions).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def print_text(file: Path, profile: str, captions: int, found: Sequence[Violation]) -> None:
    """A line per violation, then how many there are of each rule."""
    lines = []
    for one in found:
        number = f"#{one.number}" if one.number else ""
        lines.append(f"{clock(one.start_ms)}  {number:>6}  {one.rule.value:<16}  {one.message}")
    told = _counts(Counter(one.rule for one in found), "no violation")
    lines.append(f"{file}: {captions} captions, profile {profile}: {told}")
    sys.stdout.write("\n".join(lines) + "\n")


def _counts(counts: Counter[Rule], none: str) -> str:
    return ", ".join(f"{count} {rule.value}" for rule, count in counts.most_common()) or none


def print_json(file: Path, profile: str, captions: int, found: Sequence[Violation]) -> None:
    """The same for programs."""
    document = {
        "file": str(file),
        "profile": profile,
        "captions": captions,
        "counts": dict(Counter(one.rule.value for one in found).most_common()),
        "violations": [
            {
                "rule": one.rule.value,
                "start_ms": one.start_ms,
                "number": one.number,
                "message": one.message,
            }
            for one in found
        ],
    }
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
