"""Each script has its own ways of breaking lines, and no character is ever cut."""

from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.subtitles.captions import Captions
from services.subtitles.cues import build_cues
from services.subtitles.graphemes import cells, graphemes
from services.subtitles.thai import thai_words
from services.subtitles.webvtt import to_webvtt
from tests.conftest import without
from tests.subtitle_transcripts import said, transcript

THAI = "สวัสดีครับผมชื่อสมชายและผมชอบกินข้าวผัดมากที่สุดในโลกแต่วันนี้ไม่มีเวลาไปตลาด"
JAPANESE = "きょうはちょっとコンピューターのはなしをしましょう、ゆっくりきいてください。"
CHINESE = "昨天我们去了北京,然后坐火车回家。" * 3
HINDI = "क्षत्रिय विद्यार्थियों ने प्रतियोगिता में भाग लिया और विजय प्राप्त की"
ARABIC = "مرحبا بكم في هذا البرنامج الجديد الذي يتحدث عن تاريخ المدينة القديمة"
RUSSIAN = "Вчера мы гуляли вдоль реки и долго говорили о старом доме, который видели."  # noqa: RUF001 - Cyrillic
TEXTS = {"th": THAI, "ja": JAPANESE, "zh": CHINESE, "hi": HINDI, "ar": ARABIC, "ru": RUSSIAN}
WIDTHS = {"th": 35, "ja": 26, "zh": 32}


@pytest.fixture
def _dictionary() -> None:
    if importlib.util.find_spec("pythainlp") is None:
        without("no Thai dictionary: pythainlp is not installed")


def _lines(language: str) -> list[str]:
    words = said(TEXTS[language], word_ms=900 if " " in TEXTS[language] else 12_000)
    cues = build_cues(transcript(words.model_copy(update={"language": language})))
    return [line for cue in cues for line in cue.lines]


@pytest.mark.parametrize("language", TEXTS)
def test_lines_keep_the_width_of_their_script_and_all_of_its_characters(language: str) -> None:
    lines = _lines(language)
    assert all(cells(line) <= WIDTHS.get(language, 42) for line in lines)
    assert "".join("".join(lines).split()) == "".join(TEXTS[language].split())


@pytest.mark.parametrize("language", TEXTS)
def test_no_character_is_cut(language: str) -> None:
    whole = [cluster for part in TEXTS[language].split() for cluster in graphemes(part)]
    kept = [c for line in _lines(language) for part in line.split() for c in graphemes(part)]
    assert kept == whole


@pytest.mark.usefixtures("_dictionary")
def test_thai_breaks_between_words() -> None:
    words = thai_words(THAI)
    assert words[:3] == ["สวัสดี", "ครับผม", "ชื่อ"]
    ends = {"".join(words[:at]) for at in range(len(words) + 1)}
    lines = _lines("th")
    assert len(lines) > 1
    assert all("".join(lines[:at]) in ends for at in range(len(lines) + 1))


@given(st.text(alphabet=st.characters(min_codepoint=0x0E00, max_codepoint=0x0E7F), min_size=1))
def test_thai_words_are_the_text(text: str) -> None:
    assert "".join(thai_words(text)) == text


def test_japanese_lines_never_begin_with_a_small_kana_or_a_mark() -> None:
    assert not any(line[0] in "ょっーャュョ、。" for line in _lines("ja"))


def test_chinese_breaks_after_punctuation() -> None:
    lines = _lines("zh")
    assert lines[0].endswith((",", "。"))


def test_right_to_left_text_is_left_in_its_order_for_the_player_to_turn() -> None:
    text = to_webvtt(Captions(transcript(said(ARABIC, language="ar"))))
    assert text.split("<v Anna>")[1].startswith("<lang ar>مرحبا بكم")
    assert "\u202b" not in text
