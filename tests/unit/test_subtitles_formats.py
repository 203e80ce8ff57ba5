"""The files are written as their formats have it, whatever the words are."""

from __future__ import annotations

import pytest

from services.subtitles.ass import to_ass
from services.subtitles.captions import Captions
from services.subtitles.hls import hls_files
from services.subtitles.markdown import escape, to_markdown
from services.subtitles.notes import clock
from services.subtitles.render import FILE_NAMES, MEDIA_TYPES, render
from services.subtitles.srt import to_srt
from services.subtitles.tables import to_csv, to_text, to_tsv
from services.subtitles.webvtt import to_webvtt
from tests.subtitle_transcripts import feeling, said, transcript
from voxmesh_schemas import Emotion, Notice, OutputFormat, SubtitleOptions, Transcript


def _webvtt(made: Transcript, **options: object) -> str:
    return to_webvtt(Captions(made, SubtitleOptions.model_validate(options, strict=False)))


def _srt(made: Transcript, **options: object) -> str:
    return to_srt(Captions(made, SubtitleOptions.model_validate(options, strict=False)))


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "00:00:00.000"),
        (59_999, "00:00:59.999"),
        (3_600_000, "01:00:00.000"),
        (100 * 3_600_000 + 1, "100:00:00.001"),
    ],
)
def test_times_are_right_to_the_millisecond(time_ms: int, text: str) -> None:
    assert clock(time_ms) == text


def test_webvtt_says_who_and_how() -> None:
    angry = feeling(Emotion.ANGRY, 0.9)
    text = _webvtt(transcript(said("Stop it!", emotion=angry), said("Me?", 2000, speaker="S2")))
    assert (
        "1\n00:00:00.000 --> 00:00:00.900\n<v Anna><c.angry.strong>[angrily] Stop it!</c>" in text
    )
    assert "2\n00:00:02.000 --> 00:00:02.833\n<v Mark>Me?\n" in text
    assert '::cue(v[voice="Anna"]) {\n  color: #ffffff;\n}' in text
    assert '::cue(v[voice="Mark"]) {\n  color: #f0e442;\n}' in text


def test_webvtt_escapes_words_and_names() -> None:
    text = _webvtt(transcript(said("a <b> & --> c"), names=('A>\n\n"&',)))
    assert '<v A&gt; "&amp;>a &lt;b&gt; &amp; --&gt; c\n' in text
    assert '::cue(v[voice="A\\3e  \\22 \\26 "])' in text
    assert text.count("-->") == 1


def test_a_warning_is_a_comment_before_all_cues() -> None:
    notice = Notice(code="lost-chunk", message="lost -->\n\nhere", start_ms=0, end_ms=900)
    text = _webvtt(transcript(said("Hello."), warnings=(notice,)))
    comment = "NOTE\nWarning: 00:00:00.000 to 00:00:00.900: lost -- > here\n\nSTYLE\n"
    assert comment in text


def test_unknown_speakers_have_no_voice() -> None:
    assert "\nHello.\n" in _webvtt(transcript(said("Hello.", speaker=None)))


def test_a_speaker_without_a_name_goes_by_the_label() -> None:
    assert "<v S1>Hello." in _webvtt(transcript(said("Hello."), names=(" ",)))


def test_subrip_names_speakers_at_changes_only() -> None:
    text = _srt(
        transcript(
            said("Hello."),
            said("How are you?", 3000),
            said("Fine.", 6000, speaker="S2"),
            said("Who said that?", 9000, speaker=None),
        )
    )
    shown = [block.split("\n", 2)[2].strip() for block in text.split("\n\n")]
    assert shown == ["Anna: Hello.", "How are you?", "Mark: Fine.", "- Who said that?"]
    assert text.startswith("1\n00:00:00,000 --> 00:00:00,833\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("a --> b", "a --\u2060> b"),
        ("a <b> c", "a <\u2060b> c"),
        ("1 < 2", "1 < 2"),
        ("{\\an8}x", "{\u2060\\\u2060an8}x"),
        ("42", "\u206042"),
    ],
)
def test_what_subrip_readers_take_for_markup_is_kept_apart(words: str, line: str) -> None:
    assert _srt(transcript(said(words, speaker=None))).endswith(f"\n{line}\n")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("It is 3.5 - really!", "It is 3.5 - really!"),
        ("*a* _b_ `c`", r"\*a\* \_b\_ \`c\`"),
        ("[x](y) <b> | &amp;", r"\[x\](y) \<b\> \| \&amp;"),
        ("https://a.b www.c.d e@f.g", r"https\://a.b www\.c.d e\@f.g"),
        ("a\n\n# b", r"a \# b"),
    ],
)
def test_markdown_escapes_what_means_something(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_markdown_has_text_segments_and_words() -> None:
    happy = feeling(Emotion.HAPPY, 0.9)
    text = to_markdown(transcript(said("Good news!", emotion=happy), said("Well.", 3000)))
    assert text.startswith("# A talk\n\n- Duration: 00:00:03.400\n")
    assert "**Anna:** Good news! Well.\n" in text
    assert "| 00:00:00.000 | 00:00:00.800 | Anna | happy (90%) | Good news! |" in text
    assert "| 00:00:00.400 | 00:00:00.800 | Anna |  | news! |" in text


@pytest.mark.parametrize("kind", OutputFormat)
def test_every_format_has_a_name_a_type_and_stable_bytes(kind: OutputFormat) -> None:
    made = transcript(said("Good news!"))
    again = made.model_copy(deep=True)
    assert render(Captions(made), kind) == render(Captions(again), kind)
    assert kind.value in FILE_NAMES[kind]
    assert "/" in MEDIA_TYPES[kind]


def test_karaoke_times_every_word_within_its_cue() -> None:
    text = _webvtt(transcript(said("One <two> three")), karaoke=True)
    assert "<v Anna>One <00:00:00.400>&lt;two&gt; <00:00:00.800>three" in text
    assert "::cue(:past)" in text


def test_words_of_another_language_say_so() -> None:
    text = _webvtt(transcript(said("Guten Tag.", language="de"), said("Hello.", 3000)))
    assert "<v Anna><lang de>Guten Tag.</lang>\n" in text
    assert "<v Anna>Hello.\n" in text


@pytest.mark.parametrize(
    ("style", "cue"),
    [
        ("none", "<v Anna>Go away!"),
        ("brackets", "<v Anna>[angrily] Go away!"),
        ("style", "<v Anna><c.angry.strong>Go away!</c>"),
        ("both", "<v Anna><c.angry.strong>[angrily] Go away!</c>"),
    ],
)
def test_emotions_are_told_as_asked(style: str, cue: str) -> None:
    text = _webvtt(transcript(said("Go away!", emotion=feeling(Emotion.ANGRY, 0.9))), emotion=style)
    assert f"\n{cue}\n" in text
    assert ("::cue(.angry.strong)" in text) == ("c.angry" in cue)


def test_ass_has_a_style_per_speaker_and_raises_simultaneous_cues() -> None:
    long = said("I complained to the man at the desk and he was rude.", word_ms=300)
    other = said("That is {wrong} \\Nor, not.", 1500, speaker="S2")
    text = to_ass(Captions(transcript(long, other, names=("Ann, B", "Mark"))))
    assert "Style: Speaker 2,Arial,54,&H0042E4F0," in text
    assert "Speaker 1,Ann; B,0,0,54,," in text
    assert "Speaker 2,Mark,0,0,186,,That is \uff5bwrong\uff5d \\\u2060Nor, not." in text


def test_ass_sings_word_by_word() -> None:
    options = SubtitleOptions(karaoke=True)
    text = to_ass(Captions(transcript(said("One two three")), options))
    assert text.endswith(",,{\\k40}One {\\k40}two {\\k40}three\n")


def test_ass_tells_times_after_ten_hours() -> None:
    assert "0,25:00:00.00,25:00:00.83," in to_ass(Captions(transcript(said("Hi.", 25 * 3_600_000))))


def test_hls_repeats_a_cue_in_every_segment_that_shows_it() -> None:
    options = SubtitleOptions(hls_segment_ms=2000, hls_mpegts=126_000)
    files = hls_files(Captions(transcript(said("One two three four five six.")), options))
    assert list(files) == ["captions.m3u8", "captions-00000.vtt", "captions-00001.vtt"]
    assert files["captions.m3u8"].count("#EXTINF:") == 2
    for name in list(files)[1:]:
        assert files[name].startswith(
            "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:126000\n\nSTYLE\n"
        )
        assert "\n\n1\n00:00:00.000 --> 00:00:02.400\n" in files[name]


def test_tables_have_a_row_per_utterance() -> None:
    made = transcript(
        said('He said: "a\tb"', emotion=feeling(Emotion.HAPPY, 0.9)), said("Well.", 3000)
    )
    assert to_csv(made).splitlines()[1] == '0,1600,Anna,en,happy,0.90,"He said: ""a b"""'
    assert to_tsv(made).splitlines()[2] == "3000\t3400\tAnna\ten\t\t\tWell."


def test_plain_text_has_a_paragraph_per_change_of_speaker() -> None:
    made = transcript(
        said("Hello."),
        said("Hm.", 900),
        said("Hi!", 2000, speaker="S2"),
        said("?", 3000, speaker="x"),
    )
    assert to_text(made) == "Anna: Hello. Hm.\n\nMark: Hi!\n\nx: ?\n"
    assert to_text(transcript()) == "No speech was recognised.\n"
