"""SCC is CEA-608 to the bit: time code, characters, parity and the rate of the channel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.errors import BadInputError
from services.subtitles.captions import Captions
from services.subtitles.cea608 import COLUMNS, in_cea608, row_words, with_parity
from services.subtitles.scc import screens, timecode, to_scc
from tests.subtitle_transcripts import said, transcript
from voxmesh_schemas import SubtitleOptions, Transcript


def _scc(made: Transcript, *, drop_frame: bool = True) -> str:
    return to_scc(Captions(made, SubtitleOptions(drop_frame=drop_frame)))


@pytest.mark.parametrize(
    ("frame", "drop", "non_drop"),
    [
        (0, "00:00:00;00", "00:00:00:00"),
        (1799, "00:00:59;29", "00:00:59:29"),
        (1800, "00:01:00;02", "00:01:00:00"),
        (17_981, "00:09:59;29", "00:09:59:11"),
        (17_982, "00:10:00;00", "00:09:59:12"),
        (107_892, "01:00:00;00", "00:59:56:12"),
        (24 * 107_892 - 1, "23:59:59;29", "23:58:33:17"),
    ],
)
def test_drop_frame_keeps_to_the_clock(frame: int, drop: str, non_drop: str) -> None:
    assert timecode(frame, drop=True) == drop
    assert timecode(frame, drop=False) == non_drop


@given(st.integers(0, 24 * 107_892))
def test_no_time_code_is_used_twice_or_skipped_wrongly(frame: int) -> None:
    here, after = timecode(frame, drop=True), timecode(frame + 1, drop=True)
    assert here < after
    assert not (here.endswith((";00", ";01")) and here[6:8] == "00" and here[4] != "0")


@pytest.mark.parametrize(
    ("word", "sent"), [(0x1420, "9420"), (0x142F, "942f"), (0x4869, "c8e9"), (0x6100, "6180")]
)
def test_every_byte_has_odd_parity(word: int, sent: str) -> None:
    assert with_parity(word) == sent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It\u2019s 5 \u2013 6…", "It's 5 - 6..."),
        ("Ærøskøbing, Łódź", "AErøskøbing, Lódz"),
        ("ﬁn ½ ♫", "fin ½ ♪"),
        ("e\u0301te\u0301", "été"),
        ("👩‍👩‍👧‍👦 ok", "? ok"),
        ("日本?", "???"),
    ],
)
def test_what_the_channel_lacks_is_shown_by_what_is_like_it(text: str, shown: str) -> None:
    assert in_cea608(text) == shown


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=COLUMNS))
def test_any_text_becomes_words_of_two_seven_bit_bytes(text: str) -> None:
    row = in_cea608(text)[:COLUMNS]
    assert in_cea608(row) == row
    assert all(0 <= word >> 8 < 0x80 and 0 <= word & 0xFF < 0x80 for word in row_words(row, 15))


def test_a_caption_is_loaded_before_it_is_shown_and_cleared_after() -> None:
    lines = _scc(transcript(said("Hi.", 10_000, speaker=None))).split("\n\n")
    assert lines[0] == "Scenarist_SCC V1.0"
    # Ten seconds are 300 frames, and eleven words go before; 833 ms later the screen is cleared.
    assert lines[1] == (
        "00:00:09;19\t94ae 94ae 9420 9420 9476 9476 97a1 97a1 3e3e 20c8 e9ae 942f 942f"
    )
    assert lines[2].strip() == "00:00:10;25\t942c 942c"


def test_an_erasure_never_parts_a_code_from_its_echo() -> None:
    words = " ".join(["éèêâîôû"] * 5)
    made = transcript(*(said(words, at, word_ms=100) for at in range(2000, 20_000, 1500)))
    for line in _scc(made).split("\n\n")[1:]:
        sent = line.split("\t")[1].split()
        codes = [word for word in sent if int(word[:2], 16) & 0x7F < 0x20]
        assert len(codes) % 2 == 0


def test_two_voices_share_the_screen_and_no_more_than_four_rows() -> None:
    long = said("I complained to the man at the desk and he was rude.", 5000, word_ms=400)
    other = said("That is just wrong and they should know it.", 7000, speaker="S2")
    found = screens(Captions(transcript(long, other)))
    assert any(
        any(row.startswith(">> Mark:") for row in one.rows) and len(one.rows) > 2 for one in found
    )
    assert all(len(one.rows) <= 4 for one in found)


def test_what_cannot_be_shown_at_all_is_refused() -> None:
    with pytest.raises(BadInputError, match="ask for ttml or vtt"):
        _scc(transcript(said("日本語の字幕です", language="ja")))
