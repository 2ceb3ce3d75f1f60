"""Published weights from their hub: downloaded when first used, or one sentence why not."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from tdafeat.errors import DataUnavailable

HOST = "huggingface.co"


@contextmanager
def downloads(name: str) -> Iterator[None]:
    """Let a library fetch weights inside; any failure becomes DataUnavailable for `name`.

    Without a network the hub's client would retry for most of a minute before it gives up, so it
    is told beforehand to look in its cache alone.
    """
    import huggingface_hub.constants

    offline = huggingface_hub.constants.HF_HUB_OFFLINE or not _resolvable()
    noise = logging.getLogger("huggingface_hub")
    level = noise.level
    noise.setLevel(logging.CRITICAL)
    try:
        with mock.patch.object(huggingface_hub.constants, "HF_HUB_OFFLINE", offline):
            yield
    except Exception as error:  # clients of a hub fail with a dozen kinds of exceptions
        reason = "there is no network" if offline else str(error).split("\n")[0]
        raise DataUnavailable(
            f"{name}: its weights are not on this machine and cannot be downloaded ({reason}); "
            f"give a checkpoint file: {name}@FILE"
        ) from None
    finally:
        noise.setLevel(level)


def _resolvable() -> bool:
    """Whether the hub can be reached at all; behind a proxy only trying would tell."""
    if any(os.environ.get(v) for v in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HF_ENDPOINT")):
        return True
    try:
        socket.getaddrinfo(HOST, 443)
    except OSError:
        return False
    return True
