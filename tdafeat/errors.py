"""Errors a caller may want to catch by name; all others are ValueError or TypeError."""


class TdafeatError(Exception):
    """Base of the suite's own errors. Its message is one sentence a user can act on."""


class UnknownName(TdafeatError, ValueError):
    """A data set, noise, encoder or metric of this name is not registered."""


class DataUnavailable(TdafeatError, FileNotFoundError):
    """Images, weights or what reads them are not on this machine; the message says what to do."""

    def __str__(self) -> str:  # FileNotFoundError would print an errno tuple
        return str(self.args[0]) if self.args else ""


class UnreadableData(TdafeatError, ValueError):
    """A file exists, but is not what its name promises."""


class Unreachable(TdafeatError, OSError):
    """What stands behind a URL refuses or fails: no credentials, no network, no such bucket."""


class StoreFailed(TdafeatError, OSError):
    """The store cannot be read or written to: a full disk, no permission, a URL out of reach."""


class Missing(TdafeatError, ValueError):
    """What another stage should have made is not in the store, or damaged."""


class Unpaired(TdafeatError, ValueError):
    """Clean and noisy features do not describe the same images."""


# What a user can mend; the message is a sentence. Of others, such as a KeyError, it may be a word.
MENDABLE = (TdafeatError, OSError, ValueError, TypeError)


def in_words(error: Exception) -> str:
    """What an error says, behind its kind where that is needed to understand it.

    Examples
    --------
    >>> in_words(ValueError("limit must be at least 1")), in_words(KeyError("weights.0"))
    ('limit must be at least 1', "KeyError: 'weights.0'")
    """
    return str(error) if isinstance(error, MENDABLE) else f"{type(error).__name__}: {error}"
