"""Exit codes, and errors as one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable

from services.runtime.errors import BadInputError, EngineUnusableError, VoxmeshError

SUCCESS = 0
FAILURE = 1
BAD_INPUT = 2
WITH_WARNINGS = 3
INTERRUPTED = 130


def exit_code(command: Callable[[], int]) -> int:
    """The code of a command; an error it raises is told on standard error."""
    try:
        return command()
    except (BadInputError, EngineUnusableError) as error:
        return _tell(str(error), BAD_INPUT)
    except VoxmeshError as error:
        return _tell(str(error), FAILURE)
    except BrokenPipeError:
        # Whoever read our output has had enough.
        sys.stderr.close()
        return FAILURE
    except KeyboardInterrupt:
        return _tell("interrupted; the same command goes on where this one stopped", INTERRUPTED)


def _tell(sentence: str, code: int) -> int:
    print(f"voxmesh: {sentence}", file=sys.stderr)  # noqa: T201 -- the command's own output
    return code
