"""How far each engine is to be believed, learned from agreement alone.

Expectation-maximisation over a confusion network after Dawid and Skene (1979): what was said in a
slot is hidden; an engine that says it is right, one that says another word substitutes, one that
says nothing deletes, one that speaks where nothing was said inserts. How often each engine does
each is learned from all slots together, so that no reference is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.merge.alignment import Ints
from services.merge.members import Floats
from services.merge.network import ConfusionNetwork

COINCIDENCE = 0.2
ROUNDS = 30
BINS = 5
PRIOR = 20.0
