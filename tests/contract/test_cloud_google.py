"""Google Cloud's client library against a server that speaks Speech-to-Text V2: recognize."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar

import pytest

from services.runtime.engines import Transcriber
from services.transcribe.engines import make
from services.transcribe.settings import TranscribeSettings
from tests.contract.cloud_suite import CloudContract, needed
from tests.contract.transcriber_suite import spoken
from tests.contract.vendor_server import KEY, Reply, Request, VendorServer, as_json, words_in

needed("google.cloud.speech_v2")

STEP = "POST /v2/projects/our-project/locations/us-central1/recognizers/_:recognize"
LOCALES = ("auto", "en-US", "de-DE", "de-AT")
TAG = "en-us"
