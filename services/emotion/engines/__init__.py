"""The emotion engines, the preferred one first; each is one line here and one file beside this."""

from services.runtime.engines import AudioEmotionEngine, TextEmotionEngine
from services.runtime.registry import Registry
from voxmesh_schemas import Stage

AUDIO: Registry[AudioEmotionEngine] = Registry(
    Stage.EMOTION_AUDIO,
    {
        "speechbrain": "services.emotion.engines.speechbrain:SpeechBrainEngine",
        "transformers": "services.emotion.engines.transformers_audio:TransformersAudioEngine",
        "prosody": "services.emotion.engines.prosody:ProsodyEngine",
    },
)
TEXT: Registry[TextEmotionEngine] = Registry(
    Stage.EMOTION_TEXT,
    {
        "transformers": "services.emotion.engines.transformers_text:TransformersTextEngine",
        "vader": "services.emotion.engines.vader:VaderEngine",
    },
)
