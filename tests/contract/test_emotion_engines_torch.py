"""The torch emotion engines, on tiny models with random weights that are built here."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.emotion.engines import AUDIO, TEXT
from services.emotion.settings import EmotionSettings
from services.runtime.engines import AudioEmotionEngine, TextEmotionEngine
from services.runtime.errors import EngineUnusableError
from tests.contract.emotion_suite import AudioEmotionContract, TextEmotionContract, buzz, spoken
from voxmesh_schemas import Emotion

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [
    pytest.mark.torch,
    # These libraries warn about each other's, and their own, deprecations when imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

IEMOCAP = ("neu", "ang", "hap", "sad")
FAMILIES = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
DECISIVE = 100.0
"""Random weights are undecided; heads scaled by this are not, so that engines do not abstain."""

HYPERPARAMETERS = """
wav2vec2_hub: {backbone}
encoder_dim: 32
out_n_neurons: 4
wav2vec2: !new:speechbrain.integrations.huggingface.wav2vec2.Wav2Vec2
    source: !ref <wav2vec2_hub>
    output_norm: True
    freeze: True
    save_path: {folder}/hub
avg_pool: !new:speechbrain.nnet.pooling.StatisticsPooling
    return_std: False
output_mlp: !new:speechbrain.nnet.linear.Linear
    input_size: !ref <encoder_dim>
    n_neurons: !ref <out_n_neurons>
    bias: False
model: !new:torch.nn.ModuleList
    - [!ref <output_mlp>]
modules:
    wav2vec2: !ref <wav2vec2>
    output_mlp: !ref <output_mlp>
    avg_pool: !ref <avg_pool>
softmax: !new:speechbrain.nnet.activations.Softmax
label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        wav2vec2: !ref <wav2vec2>
        model: !ref <model>
        label_encoder: !ref <label_encoder>
    paths:
        wav2vec2: {folder}/wav2vec2.ckpt
        model: {folder}/model.ckpt
        label_encoder: {folder}/label_encoder.txt
"""
LABEL_ENCODER = """'neu' => 0
'ang' => 1
'hap' => 2
'sad' => 3
================
'starting_index' => 0
"""


def tiny_wav2vec2() -> Any:
    """The configuration of a wav2vec2 with the strides of the real one."""
    return transformers.Wav2Vec2Config(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        classifier_proj_size=16,
        num_labels=len(IEMOCAP),
        id2label=dict(enumerate(IEMOCAP)),
    )


@pytest.fixture(scope="module")
def speechbrain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as SpeechBrain's IEMOCAP recipe leaves it, weights named as torch did in 2021."""
    folder: Path = tmp_path_factory.mktemp("speechbrain")
    torch.manual_seed(1)
    pretrained = transformers.Wav2Vec2Model(tiny_wav2vec2())
    (folder / "backbone").mkdir()
    pretrained.save_pretrained(folder / "backbone")
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder / "backbone")

    torch.manual_seed(2)
    weights = transformers.Wav2Vec2Model(tiny_wav2vec2()).state_dict()
    norm = "encoder.pos_conv_embed.conv."
    weights[f"{norm}weight_g"] = weights.pop(f"{norm}parametrizations.weight.original0")
    weights[f"{norm}weight_v"] = weights.pop(f"{norm}parametrizations.weight.original1")
    torch.save(
        {f"model.{name}": value for name, value in weights.items()}, folder / "wav2vec2.ckpt"
    )
    head = torch.nn.Linear(32, len(IEMOCAP), bias=False).weight.detach()
    torch.save({"0.w.weight": head * 3}, folder / "model.ckpt")
    (folder / "label_encoder.txt").write_text(LABEL_ENCODER, encoding="utf-8")
    hyperparameters = HYPERPARAMETERS.format(folder=folder, backbone=folder / "backbone")
    (folder / "hyperparams.yaml").write_text(hyperparameters, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def audio_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wav2vec2 audio classifier in the form of the transformers library."""
    folder: Path = tmp_path_factory.mktemp("audio")
    torch.manual_seed(3)
    network = transformers.Wav2Vec2ForSequenceClassification(tiny_wav2vec2())
    network.classifier.weight.data *= DECISIVE
    network.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RoBERTa classifier with the labels of the default model and a tokenizer of its own."""
    import tokenizers

    folder: Path = tmp_path_factory.mktemp("text")
    tokenizer = tokenizers.ByteLevelBPETokenizer()
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer.train_from_iterator(
        [TextEmotionContract.joy_and_rage], 300, special_tokens=list(special.values())
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer,
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
        **special,
    ).save_pretrained(folder)
    torch.manual_seed(4)
    network = transformers.RobertaForSequenceClassification(
        transformers.RobertaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=514,
            id2label=dict(enumerate(FAMILIES)),
            label2id={label: index for index, label in enumerate(FAMILIES)},
        )
    )
    network.classifier.out_proj.weight.data *= DECISIVE
    network.save_pretrained(folder)
    return folder


class TestSpeechBrain(AudioEmotionContract):
    @pytest.fixture
    def engine(self, speechbrain_model: Path) -> AudioEmotionEngine:
        pytest.importorskip("speechbrain")
        settings = EmotionSettings(speechbrain_model=str(speechbrain_model), device="cpu")
        return AUDIO.make("speechbrain", settings)

    def test_knows_the_four_emotions_of_iemocap(self, engine: AudioEmotionEngine) -> None:
        assert labels(engine) == [Emotion.NEUTRAL, Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY]

    def test_agrees_with_speechbrains_own_way_of_loading_and_running_it(
        self, engine: AudioEmotionEngine, speechbrain_model: Path, tmp_path: Path
    ) -> None:
        from speechbrain.inference.interfaces import Pretrained, pretrained_from_hparams

        own = pretrained_from_hparams(Pretrained, str(speechbrain_model), savedir=str(tmp_path))
        samples = buzz(150, 3_000)
        features = own.mods.wav2vec2(torch.from_numpy(samples)[None])
        pooled = own.mods.avg_pool(features, torch.ones(1)).view(1, -1)
        expected = own.hparams.softmax(own.mods.output_mlp(pooled))[0].tolist()

        (window,) = engine.detect(samples).windows
        assert window.probabilities is not None
        names = (Emotion.NEUTRAL, Emotion.ANGRY, Emotion.HAPPY, Emotion.SAD)
        heard = [window.probabilities[name] for name in names]
        assert heard == pytest.approx(expected, abs=1e-3)  # SpeechBrain's pooling adds noise

    def test_runs_nothing_that_a_hyperparameter_file_names(
        self, speechbrain_model: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "model"
        shutil.copytree(speechbrain_model, folder)
        with (folder / "hyperparams.yaml").open("a", encoding="utf-8") as file:
            file.write(f"mischief: !apply:os.mkdir ['{tmp_path}/mischief']\n")
        engine = AUDIO.make("speechbrain", EmotionSettings(speechbrain_model=str(folder)))
        assert engine.detect(buzz(150, 3_000)).windows[0].probabilities
        assert not (tmp_path / "mischief").exists()

    @pytest.mark.parametrize("text", ["", "- a list", "{broken"])
    def test_a_damaged_hyperparameter_file_makes_it_unusable(
        self, speechbrain_model: Path, tmp_path: Path, text: str
    ) -> None:
        folder = tmp_path / "model"
        shutil.copytree(speechbrain_model, folder)
        (folder / "hyperparams.yaml").write_text(text, encoding="utf-8")
        engine = AUDIO.make("speechbrain", EmotionSettings(speechbrain_model=str(folder)))
        assert "holds no hyperparameters" in engine.usability().reason
        with pytest.raises(EngineUnusableError, match="holds no hyperparameters"):
            engine.detect(buzz(150, 3_000))

    def test_a_checkpoint_that_lacks_weights_is_refused(
        self, speechbrain_model: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "model"
        shutil.copytree(speechbrain_model, folder)
        torch.save({}, folder / "wav2vec2.ckpt")
        engine = AUDIO.make("speechbrain", EmotionSettings(speechbrain_model=str(folder)))
        with pytest.raises(EngineUnusableError, match="cannot be loaded"):
            engine.detect(buzz(150, 3_000))


class TestTransformersAudio(AudioEmotionContract):
    @pytest.fixture
    def engine(self, audio_model: Path) -> AudioEmotionEngine:
        return AUDIO.make(
            "transformers", EmotionSettings(audio_model=str(audio_model), device="cpu")
        )

    def test_knows_the_labels_of_its_model(self, engine: AudioEmotionEngine) -> None:
        assert labels(engine) == [Emotion.NEUTRAL, Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY]


class TestTransformersText(TextEmotionContract):
    @pytest.fixture
    def engine(self, text_model: Path) -> TextEmotionEngine:
        return TEXT.make("transformers", EmotionSettings(text_model=str(text_model), device="cpu"))

    def test_knows_all_seven_emotions(self, engine: TextEmotionEngine) -> None:
        (window, _) = engine.detect(spoken(self.joy_and_rage)).windows
        assert window.probabilities is not None
        assert list(window.probabilities) == list(Emotion)

    def test_reads_the_languages_that_the_settings_name(self, text_model: Path) -> None:
        settings = EmotionSettings(text_model=str(text_model), text_model_languages=("de",))
        windows = TEXT.make("transformers", settings).detect(spoken("Oh wie schön.", "de")).windows
        assert windows[0].probabilities

    def test_judges_a_sentence_alike_whatever_stands_beside_it_in_the_batch(
        self, engine: TextEmotionEngine
    ) -> None:
        first, _ = engine.detect(spoken(self.joy_and_rage)).windows
        (alone,) = engine.detect(spoken(self.joy_and_rage.split("!")[0] + "!")).windows
        assert alone.probabilities == pytest.approx(first.probabilities, abs=2e-4)


@pytest.mark.parametrize("device", ["quantum", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_by_name(text_model: Path, device: str) -> None:
    engine = TEXT.make("transformers", EmotionSettings(text_model=str(text_model), device=device))
    with pytest.raises(EngineUnusableError, match=device):
        engine.detect(spoken("I am happy."))


def labels(engine: AudioEmotionEngine) -> list[Emotion]:
    (window,) = engine.detect(buzz(150, 3_000)).windows
    assert window.probabilities is not None
    return list(window.probabilities)


def test_batches_of_any_size_give_the_same_windows(audio_model: Path) -> None:
    samples = np.concatenate([buzz(pitch, 4_000) for pitch in (120, 180, 240)])
    one, many = (
        AUDIO.make("transformers", EmotionSettings(audio_model=str(audio_model), batch_size=size))
        for size in (1, 16)
    )
    for alone, batched in zip(
        one.detect(samples).windows, many.detect(samples).windows, strict=True
    ):
        assert alone.probabilities == pytest.approx(batched.probabilities, abs=2e-4)
