#!/usr/bin/env python3
"""Writes SubRip with what people use now: a transcript as JSON comes in, the file goes out.

    srt_writers.py whisperx|whisperx-42x2|stable-ts < transcript.json

The transcript is a list of segments in the form that Whisper's tools share: start, end, text, and
words with start and end, in seconds.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any


def whisperx(segments: list[dict[str, Any]], width: int | None, lines: int | None) -> str:
    """What `whisperx --output_format srt` writes."""
    from whisperx.utils import WriteSRT

    file = io.StringIO()
    options = {"max_line_width": width, "max_line_count": lines, "highlight_words": False}
    WriteSRT(".").write_result({"segments": segments, "language": "en"}, file, options)
    return file.getvalue()


def stable_ts(segments: list[dict[str, Any]]) -> str:
    """What `stable-ts -o x.srt` writes: its default regrouping, and a cue for each segment."""
    from stable_whisper import WhisperResult

    for segment in segments:
        for word in segment["words"]:
            word["word"] = f" {word['word']}"
    result = WhisperResult({"language": "en", "segments": segments})
    result.regroup()
    return str(result.to_srt_vtt(None, word_level=False, vtt=False))


if __name__ == "__main__":
    found = json.load(sys.stdin)
    match sys.argv[1]:
        case "whisperx":
            sys.stdout.write(whisperx(found, None, None))
        case "whisperx-42x2":
            sys.stdout.write(whisperx(found, 42, 2))
        case _:
            sys.stdout.write(stable_ts(found))
