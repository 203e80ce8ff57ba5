"""The checker finds what is wrong with captions of any origin, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.runtime.errors import BadInputError
from services.subtitles.captions import Captions
from services.subtitles.checking import Caption, Reading, violations
from services.subtitles.profiles import PROFILES, WEB
from services.subtitles.readers import READERS, read_captions
from services.subtitles.readers.ass import read_ass
from services.subtitles.readers.scc import read_scc
from services.subtitles.readers.srt import read_srt
from services.subtitles.readers.ttml import read_ttml
from services.subtitles.readers.webvtt import read_webvtt
from services.subtitles.render import FILE_NAMES, render
from services.subtitles.rules import Rule
from tests.subtitle_transcripts import said, transcript
from voxmesh_schemas import OutputFormat, SubtitleOptions


def _rules(*captions: Caption, language: str | None = "en") -> list[str]:
    return [one.rule.value for one in violations(Reading(captions), WEB, language)]


def _one(text: str, start_ms: int = 0, end_ms: int = 3000, place: str = "") -> Caption:
    return Caption(start_ms, end_ms, tuple(text.split("\n")), place)


@pytest.mark.parametrize(
    ("caption", "rules"),
    [
        (_one("All is well."), []),
        (_one("w" * 43, 0, 6000), ["line-too-long"]),
        (_one("x\ny\nz"), ["too-many-lines"]),
        (_one("No.", 0, 800), ["too-short"]),
        (_one("No.", 0, 7100), ["too-long"]),
        (_one("Far too much for a second of time.", 0, 1000), ["too-fast"]),
        (_one(" \u200d"), ["empty"]),
        (_one("She saw the\nkitchen."), ["tight-break"]),
        (_one("私は昨日とても静かな週末を過ごしま", 0, 7000), ["line-too-long"]),
    ],
)
def test_what_a_caption_can_do_wrong(caption: Caption, rules: list[str]) -> None:
    assert _rules(caption, language="en" if caption.lines[0].isascii() else None) == rules


@pytest.mark.parametrize(
    ("second", "rules"),
    [
        (_one("Two.", 3080, 5000), []),
        (_one("Two.", 3000, 5000), ["no-gap"]),
        (_one("Two.", 3300, 5000), ["open-gap"]),
        (_one("Two.", 3500, 5000), []),
        (_one("Two.", 2900, 5000), ["overlap"]),
        (_one("Two.", 2900, 5000, place="line:-3"), []),
    ],
)
def test_what_two_captions_can_do_wrong(second: Caption, rules: list[str]) -> None:
    assert _rules(_one("One."), second) == rules


def test_a_file_out_of_order_is_told() -> None:
    assert _rules(_one("Two.", 4000, 6000), _one("One.")) == ["out-of-order"]


def test_a_sentence_may_not_break_after_an_article_between_captions() -> None:
    assert _rules(_one("She saw the"), _one("kitchen.", 3080, 5000)) == ["tight-break"]


@pytest.mark.parametrize(
    "answer",
    [
        Caption(3080, 5000, ("Kitchen!",), speaker="Mark"),
        Caption(3080, 5000, (">> Kitchen!",)),
        Caption(3080, 5000, ("- Kitchen!",)),
        Caption(3080, 5000, ("Dr. Marsh:", "Kitchen!")),
    ],
)
def test_whoever_is_interrupted_may_stop_anywhere(answer: Caption) -> None:
    assert _rules(_one("She saw the"), answer) == []


def test_webvtt_of_others_is_read_with_its_settings_and_entities() -> None:
    text = (
        "\ufeffWEBVTT - a film\n\nNOTE\nhi\n\nSTYLE\n::cue {}\n\nintro\n"
        "00:01.500 --> 00:03.000 line:0 align:left\n<v.loud Ann><i>Tom &amp; Jerry</i>&lrm;\n"
    )
    reading = read_webvtt(text.removeprefix("\ufeff"))
    assert reading.captions == (Caption(1500, 3000, ("Tom & Jerry\u200e",), "line:0", "Ann"),)
    assert reading.faults == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("00:01.000 --> 00:02.000\nhi\n", "line 1: WEBVTT is missing"),
        ("WEBVTT\n\n00:01,000 --> 00:02,000\nhi\n", "line 3: no times of a cue"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n\nlost text\n", "line 6: a block without"),
    ],
)
def test_broken_webvtt_is_told_by_line(text: str, says: str) -> None:
    (fault,) = read_webvtt(text).faults
    assert says in fault.message
    assert fault.rule is Rule.UNREADABLE


def test_subrip_of_others_is_read_without_tags() -> None:
    text = (
        "1\r\n0:00:01,5 --> 00:00:03,000\r\n{\\an8}<i>Hi</i> <font color='red'>you</font>\r\n\r\n"
    )
    (caption,) = read_srt(text).captions
    assert (caption.lines, caption.place, caption.end_ms) == (("Hi you",), "8", 3000)


def test_ass_of_others_is_read_by_its_own_fields() -> None:
    text = (
        "[Events]\nFormat: Start, End, Text\nComment: 0:00:00.00,0:00:01.00,no\n"
        "Dialogue: 0:00:01.00,0:00:03.50,{\\an8}One, two\\Nthree\nDialogue: what\n"
    )
    reading = read_ass(text)
    assert reading.captions == (Caption(1000, 3500, ("One, two", "three"), " \\an8"),)
    assert [fault.message for fault in reading.faults] == ["line 5: no dialogue: 'Dialogue: what'"]


def test_ttml_of_others_is_read_with_nested_times() -> None:
    text = (
        '<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="fr"><body begin="10s"><div>'
        '<p begin="1s" end="3s">Un<br/><span>deux</span></p></div></body></tt>'
    )
    reading = read_ttml(text)
    (caption,) = reading.captions
    assert (caption.start_ms, caption.end_ms) == (11_000, 13_000)
    assert ("".join(caption.lines), reading.language) == ("Undeux", "fr")


@pytest.mark.parametrize("text", ["<tt", "<!DOCTYPE a><tt/>", "<html/>"])
def test_what_is_no_ttml_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.ttml"
    file.write_text(text)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_captions(file)


def test_scc_is_held_to_parity_and_to_the_rate_of_the_channel() -> None:
    text = (
        "Scenarist_SCC V1.0\n\n00:00:01:00\t94ae 94ae 9420 9420 9470 9470 c8e9 942f 942f\n\n"
        "00:00:01:05\t942c 942c\n\n00:00:02:00\t142c\n\nrubbish\n"
    )
    reading = read_scc(text)
    assert [fault.rule for fault in reading.faults] == [
        Rule.CHANNEL_OVERRUN,
        Rule.BAD_PARITY,
        Rule.UNREADABLE,
    ]
    assert reading.captions[0].lines == ("Hi",)


@pytest.mark.parametrize("form", ["vtt", "srt", "ass", "ttml", "scc"])
def test_slow_speech_is_written_without_a_violation(tmp_path: Path, form: str) -> None:
    """Under every profile, in every format, as our own checker reads it back."""
    made = transcript(
        *(
            said("We walked along the river, talking about the old house.", at, word_ms=600)
            for at in range(3000, 60_000, 9000)
        )
    ).model_copy(update={"language": "en"})
    for name, profile in PROFILES.items():
        captions = Captions(made, SubtitleOptions.model_validate({"profile": name}))
        file = tmp_path / FILE_NAMES[OutputFormat(form)]
        file.write_bytes(render(captions, OutputFormat(form)))
        reading = read_captions(file)
        assert len(reading.captions) >= 7
        assert violations(reading, profile, "en") == []


MADE = Captions(transcript(said("Did you have a quiet weekend?", 3000), said("No.", 6000)))
FILES = {
    suffix: render(MADE, OutputFormat(suffix[1:])).decode()
    for suffix in (".vtt", ".srt", ".ass", ".ttml", ".scc")
}
SCRAPS = st.sampled_from(("", "-->", "\n\n", "<p", "00:", "9420 ", "\t", "{", ",", "&", "ÿ", "-1"))


@settings(max_examples=40)
@pytest.mark.parametrize("suffix", FILES)
@given(at=st.integers(0, 4000), length=st.integers(0, 60), scrap=SCRAPS)
def test_a_damaged_file_is_read_or_refused_and_never_crashes(
    suffix: str, at: int, length: int, scrap: str
) -> None:
    text = FILES[suffix]
    at %= len(text)
    try:
        reading = READERS[suffix](text[:at] + scrap + text[at + length :])
    except ValueError:
        return
    times = [one.start_ms for one in violations(reading, WEB, "en")]
    assert times == sorted(times)


def test_a_file_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="its format is not known"):
        read_captions(tmp_path / "captions.doc")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.srt"
    file.write_bytes("é".encode("latin-1"))
    with pytest.raises(BadInputError, match="UTF-8"):
        read_captions(file)
