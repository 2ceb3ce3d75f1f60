"""Published models: the nearest name on a typo, and weights downloaded when first used."""

from __future__ import annotations

import difflib
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies

from tdafeat.errors import DataUnavailable


def nearest(typed: str, known: Sequence[str]) -> str:
    """The end of a message about an unknown name.

    Examples
    --------
    >>> nearest("ViT-B-33", ["ViT-B-32", "RN50"])
    "; did you mean 'ViT-B-32'?"
    """
    near = difflib.get_close_matches(typed, known, n=1, cutoff=0.3)
    return f"; did you mean {near[0]!r}?" if near else ""


def cached(repository: str, files: Sequence[str]) -> bool:
    """Whether the hub's cache holds one of these files of a repository; the hub is not asked.

    Examples
    --------
    >>> cached("nobody/nothing", ["model.safetensors"])
    False
    """
    from huggingface_hub import try_to_load_from_cache

    return any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)


@contextmanager
def downloads(wanted: str, otherwise: str) -> Iterator[None]:
    """Let a library fetch what it needs inside; any failure becomes DataUnavailable.

    Without a network the hub's client would retry for most of a minute before it gives up, so it
    is told beforehand to look in its cache alone.

    Parameters
    ----------
    wanted : what is fetched, as it stands in the message.
    otherwise : what a user without a network can do instead.
    """
    from huggingface_hub import constants

    configured = constants.HF_HUB_OFFLINE
    offline = configured or not _reachable(constants.ENDPOINT)
    constants.HF_HUB_OFFLINE = offline
    try:
        with quiet():
            yield
    except Exception as error:  # clients of a hub fail with a dozen kinds of exceptions
        reason = "there is no network" if offline else str(error).strip().split("\n")[0]
        raise DataUnavailable(
            f"{wanted} not on this machine and cannot be downloaded ({reason}); {otherwise}"
        ) from None
    finally:
        constants.HF_HUB_OFFLINE = configured


@contextmanager
def quiet() -> Iterator[None]:
    """Keep libraries from logging each step: a failure is raised, and told once, by us."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)


def _reachable(endpoint: str) -> bool:
    """Whether the hub's name can be resolved; behind a proxy only trying would tell."""
    if getproxies():
        return True
    try:
        socket.getaddrinfo(urlsplit(endpoint).hostname, 443)
    except OSError:
        return False
    return True
