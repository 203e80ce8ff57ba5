"""What may be fetched, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourcePolicy:
    """The limits for sources. The defaults suit a service that strangers can reach."""

    local_files: bool = False
    """Take paths on this machine."""
    private_networks: bool = False
    """Connect to loopback, private, link-local and other addresses that are not public."""
    playlists: bool = False
    """Let `expand` turn the page of a playlist into its entries."""
    most_bytes: int = 64 << 30
    """Largest recording that is fetched."""
    timeout_s: float = 20.0
    """How long one answer, or one piece of a recording, may take to come."""
    longest_fetch_s: float = 12 * 60 * 60
    """How long fetching a recording may take in all."""
    retries: int = 4
    """How often in a row a dropped connection is taken up again."""
    retry_wait_s: float = 0.5
    """Wait before the first of these; it doubles from one to the next."""
