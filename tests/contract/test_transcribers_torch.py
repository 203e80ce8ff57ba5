"""faster-whisper, on a tiny Whisper that is built here: it says one sentence to any speech."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.runtime.engines import Transcriber
from services.runtime.errors import EngineUnusableError, PermanentError
from services.transcribe.engines import make
from services.transcribe.settings import TranscribeSettings
from tests.contract.transcriber_suite import TranscriberContract, silence, spoken

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
converters = pytest.importorskip("ctranslate2.converters")

pytestmark = [
    pytest.mark.torch,
    # These libraries warn about each other's, and their own, deprecations when imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SENTENCE = (" Ask", " not", ",", " well", "-", "known", " friend", ",", " for", " 50", "%", ".")
WORDS = ("Ask", "not,", "well-known", "friend,", "for", "50%.")
JAPANESE = ("ポ", "ス", "ト", "。")
LANGUAGES = ("en", "de", "ja")
WIDTH = 128
VOCABULARY = 2_000


def whisper_tokenizer(*, multilingual: bool) -> Any:
    """Bytes, the pieces of the scripts, and Whisper's special tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces = sorted(byte_level.alphabet())
    pieces += [as_token(text) for text in (*SENTENCE, *JAPANESE)]
    # CTranslate2 tells Whisper's multilingual models by their empty token.
    pieces += [""] if multilingual else []
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = byte_level
    tokenizer.decoder = decoders.ByteLevel()
    languages = [f"<|{code}|>" for code in LANGUAGES]
    tasks = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"]
    rest = ["<|nospeech|>", "<|notimestamps|>"]
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *tasks, *rest]
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in special])
    return tokenizer


def build_whisper(
    folder: Path,
    script: Sequence[str],
    *,
    first: str = "<|en|>",
    multilingual: bool = True,
    sure: bool = True,
) -> str:
    """A Whisper for CTranslate2 that says `script`, whatever it hears; the folder it is in.

    `first` is what it expects at the very start: a language, or no speech. When it is not `sure`,
    32 other tokens are as likely as the script's last. Its decoder layers add nothing, so that the
    position alone decides on the token that follows.
    """
    torch.manual_seed(0)
    tokenizer = whisper_tokenizer(multilingual=multilingual)
    config = transformers.WhisperConfig(
        vocab_size=VOCABULARY,
        d_model=WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=WIDTH,
        decoder_ffn_dim=WIDTH,
        pad_token_id=0,
        bos_token_id=tokenizer.token_to_id("<|endoftext|>"),
        eos_token_id=tokenizer.token_to_id("<|endoftext|>"),
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )
    network = transformers.WhisperForConditionalGeneration(config)
    network.generation_config = transformers.GenerationConfig(
        lang_to_id={f"<|{code}|>": tokenizer.token_to_id(f"<|{code}|>") for code in LANGUAGES},
        alignment_heads=[[0, 0]],
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )
    follows = [*([first, "<|transcribe|>"] if multilingual else []), "<|notimestamps|>", *script]
    ids = [tokenizer.token_to_id(as_token(text)) for text in follows]
    _say(network.model.decoder, ids, end=config.eos_token_id, rivals=0 if sure else 32)
    source = folder / "transformers"
    network.save_pretrained(source)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(source)
    target = folder / "ctranslate2"
    converters.TransformersConverter(str(source)).convert(str(target))
    tokenizer.save(str(target / "tokenizer.json"))
    return str(target)


def as_token(text: str) -> str:
    """How the byte-level vocabulary writes a text; special tokens as they are."""
    from tokenizers import pre_tokenizers

    if text.startswith("<|"):
        return text
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return "".join(piece for piece, _ in byte_level.pre_tokenize_str(text))


def _say(decoder: Any, ids: Sequence[int], *, end: int, rivals: int) -> None:
    with torch.no_grad():
        for layer in decoder.layers:
            for linear in (layer.self_attn.out_proj, layer.encoder_attn.out_proj, layer.fc2):
                linear.weight.zero_()
                linear.bias.zero_()
        meaning = torch.randn(decoder.embed_tokens.weight.shape)
        meaning[:rivals] = meaning[ids[-1]]
        decoder.embed_tokens.weight.copy_(meaning)
        positions = decoder.embed_positions.weight
        for position in range(len(positions)):
            token = ids[position] if position < len(ids) else end
            positions[position] = 30 * meaning[token]


@pytest.fixture(scope="module")
def english_whisper(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("whisper")
    return build_whisper(folder, SENTENCE)


def whisper(folder: str, **settings: Any) -> Transcriber:
    return make(
        "faster-whisper",
        TranscribeSettings(
            **{"whisper_model": folder, "device": "cpu", "compute_type": "float32", **settings}
        ),
    )


class TestFasterWhisper(TranscriberContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, english_whisper: str) -> Transcriber:
        return whisper(english_whisper)

    def test_pieces_without_a_space_belong_to_the_word_before(self, engine: Transcriber) -> None:
        heard = engine.transcribe(spoken(400, 4_000), language="en")
        assert tuple(word.text for word in heard.words) == WORDS

    def test_finds_the_language_out(self, engine: Transcriber) -> None:
        heard = engine.transcribe(spoken(400, 4_000), language=None)
        assert heard.language == "en"
        assert tuple(word.text for word in heard.words) == WORDS

    def test_hears_each_clip_at_its_own_time(self, engine: Transcriber) -> None:
        chunk = np.concatenate([spoken(400, 4_000), silence(5_000), spoken(400, 4_000)])
        heard = engine.transcribe(chunk, language="en")
        assert tuple(word.text for word in heard.words) == WORDS * 2
        assert heard.words[len(WORDS) - 1].end_ms <= 3_900
        assert heard.words[len(WORDS)].start_ms >= 8_300

    def test_batches_do_not_change_the_words(
        self, engine: Transcriber, english_whisper: str
    ) -> None:
        chunk = np.concatenate([spoken(400, 4_000), silence(5_000), spoken(400, 4_000)])
        one_by_one = whisper(english_whisper, batch_size=1)
        assert one_by_one.transcribe(chunk, language="en") == engine.transcribe(
            chunk, language="en"
        )


@pytest.mark.parametrize(
    ("script", "language", "words"),
    [(SENTENCE, "de", WORDS), (JAPANESE, "ja", ("ポ", "ス", "ト。"))],
)
def test_detected_language_decides_how_words_are_written(
    tmp_path: Path, script: Sequence[str], language: str, words: tuple[str, ...]
) -> None:
    engine = whisper(build_whisper(tmp_path, script, first=f"<|{language}|>"))
    heard = engine.transcribe(spoken(400, 4_000), language=None)
    assert heard.language == language
    assert tuple(word.text for word in heard.words) == words


def test_an_english_model_needs_no_detection_and_refuses_other_languages(tmp_path: Path) -> None:
    engine = whisper(build_whisper(tmp_path, SENTENCE, multilingual=False))
    heard = engine.transcribe(spoken(400, 4_000), language=None)
    assert heard.language == "en"
    assert tuple(word.text for word in heard.words) == WORDS
    with pytest.raises(PermanentError, match="does not know the language 'de'"):
        engine.transcribe(spoken(400, 4_000), language="de")


def test_a_loop_is_left_out(tmp_path: Path) -> None:
    engine = whisper(build_whisper(tmp_path, (" not", " for") * 60))
    assert engine.transcribe(spoken(400, 4_000), language="en").words == ()


@pytest.mark.parametrize(
    ("first", "sure", "says_something"),
    [("<|nospeech|>", False, False), ("<|nospeech|>", True, True), ("<|en|>", False, True)],
)
def test_unlikely_words_over_likely_silence_are_left_out(
    tmp_path: Path, first: str, sure: bool, says_something: bool
) -> None:
    engine = whisper(build_whisper(tmp_path, (" not",), first=first, sure=sure))
    heard = engine.transcribe(spoken(400, 4_000), language="en")
    assert bool(heard.words) == says_something


def test_a_number_format_that_the_device_lacks_is_named(english_whisper: str) -> None:
    engine = whisper(english_whisper, compute_type="float16")
    with pytest.raises(EngineUnusableError, match="float16"):
        engine.transcribe(spoken(400, 4_000), language="en")
