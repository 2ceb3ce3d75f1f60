"""How many processes or threads share work."""

from __future__ import annotations

from operator import index


def n_workers(n_jobs: int | None, name: str = "n_jobs") -> int:
    """How many work at once.

    Parameters
    ----------
    n_jobs : None for one, -1 for one on each core that this process may use; others at least 1.
    name : of the argument, for its error.

    Raises
    ------
    ValueError for another number; TypeError for what is no whole one.

    Examples
    --------
    >>> n_workers(None), n_workers(3)
    (1, 3)
    >>> n_workers(0)
    Traceback (most recent call last):
    ValueError: n_jobs must be at least 1, or -1 for all cores; got 0
    """
    if n_jobs is None:
        return 1
    try:
        count = index(n_jobs)
    except TypeError:
        raise TypeError(f"{name} must be a whole number; got {n_jobs!r}") from None
    if count < -1 or count == 0:
        raise ValueError(f"{name} must be at least 1, or -1 for all cores; got {count}")
    if count > 0:
        return count
    from joblib import cpu_count

    return int(cpu_count())
