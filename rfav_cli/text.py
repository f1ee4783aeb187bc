"""Text from files as it may be shown, and what an exception says."""

from __future__ import annotations


def printable(text: object, limit: int = 200) -> str:
    """Untrusted text as it may stand in a message: control characters escaped, cut to `limit` characters by a mark."""
    escaped = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text)[: limit + 1])
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"
