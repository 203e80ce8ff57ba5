"""Where sentences end, and how words are joined."""

import pytest

from services.merge.sentences import ends_sentence, join_words


@pytest.mark.parametrize(
    "text", ["done.", "what?", "no!", "well…", 'said."', "(so.)", "好。", "嗎\uff1f", "क्या।", "يا؟"]
)
def test_a_terminator_ends_a_sentence_even_before_closing_marks(text: str) -> None:
    assert ends_sentence(text)


@pytest.mark.parametrize("text", ["and", "so,", "Dr.", "Mrs.", "J.", "e.g.", "first:", '"', ""])
def test_titles_initials_and_plain_words_end_none(text: str) -> None:
    assert not ends_sentence(text)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["Good", "morning,", "Mark."], "Good morning, Mark."),
        (["我", "喜欢", "音乐", "。"], "我喜欢音乐。"),
        (["我", "用", "Python", "写"], "我用 Python 写"),
        (["Python", "。", "OK"], "Python。OK"),
        (["ありがとう", "ございます"], "ありがとうございます"),
        (["สวัสดี", "ครับ"], "สวัสดีครับ"),
        (["안녕", "하세요"], "안녕 하세요"),
        ([], ""),
    ],
)
def test_words_are_spaced_as_their_script_is_written(words: list[str], line: str) -> None:
    assert join_words(words) == line
