"""The recognisers, the preferred one first; each is one line here and one file beside this."""

from services.runtime.engines import Transcriber
from services.runtime.registry import Registry
from voxmesh_schemas import Stage

ENGINES: Registry[Transcriber] = Registry(
    Stage.TRANSCRIBE,
    {
        "faster-whisper": "services.transcribe.engines.faster_whisper:FasterWhisper",
        "pocketsphinx": "services.transcribe.engines.pocketsphinx:PocketSphinx",
    },
)
NAMES = ENGINES.names
make = ENGINES.make
