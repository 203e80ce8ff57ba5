"""The recognisers, the preferred one first; each is one line here and one file beside this."""

from services.runtime.engines import Transcriber
from services.runtime.registry import Registry
from voxmesh_schemas import Stage

ENGINES: Registry[Transcriber] = Registry(
    Stage.TRANSCRIBE,
    {
        "faster-whisper": "services.transcribe.engines.faster_whisper:FasterWhisper",
        "pocketsphinx": "services.transcribe.engines.pocketsphinx:PocketSphinx",
        # Used only when asked for by name: these send audio to a vendor.
        "assemblyai": "services.transcribe.engines.assemblyai:AssemblyAI",
        "deepgram": "services.transcribe.engines.deepgram:Deepgram",
        "openai": "services.transcribe.engines.openai_compatible:OpenAI",
        "openai-whisper": "services.transcribe.engines.openai_compatible:OpenAIWhisper",
        "groq": "services.transcribe.engines.openai_compatible:Groq",
        "mistral": "services.transcribe.engines.openai_compatible:Mistral",
        "selfhosted": "services.transcribe.engines.openai_compatible:SelfHosted",
        "gemini": "services.transcribe.engines.gemini:Gemini",
        "speechmatics": "services.transcribe.engines.speechmatics:Speechmatics",
        "google-chirp": "services.transcribe.engines.google_chirp:GoogleChirp",
    },
)
NAMES = ENGINES.names
make = ENGINES.make
