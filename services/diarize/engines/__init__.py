"""The diarizers, the preferred one first; each is one line here and one file beside this."""

from services.runtime.engines import Diarizer
from services.runtime.registry import Registry
from voxmesh_schemas import Stage

ENGINES: Registry[Diarizer] = Registry(
    Stage.DIARIZE,
    {
        "pyannote": "services.diarize.engines.pyannote:Pyannote",
        "acoustic": "services.diarize.engines.acoustic:Acoustic",
    },
)
NAMES = ENGINES.names
make = ENGINES.make
