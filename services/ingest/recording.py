"""A recording, from wherever it is, as chunks ready for the engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from services.ingest.chunking import Cut, cut, layout_for
from services.ingest.decode import Media, open_media
from services.ingest.guarded import ByteSource
from services.ingest.policy import SourcePolicy
from services.ingest.resample import Channels
from services.ingest.sources import OpenedSource, open_source
from voxmesh_schemas import MediaFacts, Source


class Recording:
    """An opened recording; `chunks` can be taken once."""

    def __init__(self, media: Media, opened: OpenedSource) -> None:
        self._media = media
        self._page = opened.page

    @property
    def facts(self) -> MediaFacts:
        """What is known now; the duration is the declared one until all chunks are out."""
        facts = self._media.facts()
        page = self._page
        if page is None:
            return facts
        return facts.model_copy(
            update={
                "page_url": page.page_url,
                "uploader": page.uploader,
                "language_hint": page.language,
                "existing_captions": page.captions,
            }
        )

    @property
    def lost_packets(self) -> int:
        """Damaged packets met so far; silence stands for them."""
        return self._media.lost_packets

    def chunks(self) -> Iterator[Cut]:
        """All audio, each chunk as soon as it is complete.

        Raises:
            BadInputError, TransientError: as reading and decoding do.
        """
        media = self._media
        return cut(media.blocks(), layout_for(media.declared_ms), channels=media.channels)


@contextmanager
def open_recording(
    source: Source | ByteSource,
    name: str = "",
    *,
    policy: SourcePolicy | None = None,
    channels: Channels = "mix",
) -> Iterator[Recording]:
    """A recording ready to be taken in chunks; what was opened for it is closed on leaving.

    Args:
        source: what a user gave, or a file that is open already and stays so.
        name: what to call a file.
        policy: what may be fetched; strict when left out.
        channels: mix them into one, or keep each to itself.

    Raises:
        BadInputError: for a source without audio that can be had and decoded.
        TransientError: for a network, server or store that fails now.
    """
    with ExitStack() as stack:
        if isinstance(source, Source):
            opened = stack.enter_context(open_source(source, policy or SourcePolicy()))
        else:
            opened = OpenedSource(source, name or "the recording")
        media = stack.enter_context(
            open_media(opened.file, opened.name, channels, opened.references)
        )
        yield Recording(media, opened)
