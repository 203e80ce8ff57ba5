"""The bus: Kafka, Redis Streams or a private Redis, by URL. Nothing outside knows which."""

from services.runtime.bus.base import Bus, Message, OnMessage
from services.runtime.bus.connect import make_bus
from services.runtime.bus.memory import MemoryBus
from services.runtime.bus.slots import Slots

__all__ = ["Bus", "MemoryBus", "Message", "OnMessage", "Slots", "make_bus"]
