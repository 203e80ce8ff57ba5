"""Which bus a URL means. The brokers' libraries are imported only when one is asked for."""

from __future__ import annotations

from urllib.parse import urlsplit

from services.runtime.bus.base import Bus
from services.runtime.errors import PermanentError
from services.runtime.settings import MeshSettings
from services.runtime.topics import Shapes


def make_bus(settings: MeshSettings) -> Bus:
    """The bus that the settings name.

    Raises:
        PermanentError: when the URL is of no broker that is known.
    """
    scheme = urlsplit(settings.broker).scheme
    if scheme == "kafka":
        from services.runtime.bus.kafka import KafkaBus

        return KafkaBus(
            settings.broker.removeprefix("kafka://"),
            prefix=settings.topic_prefix,
            shapes=Shapes(settings.topic_partitions, settings.topic_retention_s, settings.topics),
            replication=settings.topic_replication,
        )
    if scheme in {"redis", "rediss", "unix"}:
        from services.runtime.bus.redis_streams import RedisBus

        return RedisBus(settings.broker, prefix=settings.topic_prefix)
    raise PermanentError(
        f"{scheme or settings.broker!r} is no broker: use kafka://host:port or redis://host:port"
    )
