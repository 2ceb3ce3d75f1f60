"""Diagrams to and from the forms other libraries keep them in.

A list of `(n, 2)` arrays, one per degree, is what ripser and giotto-ph return as ``"dgms"``, what
GUDHI's `persistence_intervals_in_dimension` gives degree by degree, and what persim takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tdafeat.checks import as_numbers
from tdafeat.topology.diagrams import Diagrams, as_diagram, by_degree, finite_part

HIGHEST = 1000  # degrees from here on are no homology that anybody computed


def from_ripser(result: Any) -> Diagrams:
    """Diagrams of what ripser returns, or of its list of arrays alone.

    Parameters
    ----------
    result : dictionary of `ripser.ripser`, or `(n, 2)` arrays by degree. Of a dictionary the
        covering radius of its landmarks goes into the record.

    Raises
    ------
    ValueError for a dictionary without ``"dgms"`` and arrays that are no diagrams.

    Examples
    --------
    >>> from_ripser([[[0, np.inf]], []])
    Diagrams(H0: 1 bars, H1: 0 bars; ripser)
    """
    record: dict[str, Any] = {"engine": "ripser"}
    if not isinstance(result, Mapping):
        return Diagrams(by_degree(result, "result"), record)
    if "dgms" not in result:
        keys = sorted(map(str, result))
        raise ValueError(f"result must hold 'dgms', as ripser's does; got keys {keys}")
    if "r_cover" in result:
        record["covering_radius"] = _number(result["r_cover"], "r_cover of result")
    return Diagrams(result["dgms"], record)


def to_ripser(diagrams: Sequence[Any]) -> list[np.ndarray]:
    """The list of arrays under ``"dgms"`` of ripser's result: one `(n, 2)` copy per degree.

    Examples
    --------
    >>> to_ripser(Diagrams([[[0, np.inf]], []]))[1].shape
    (0, 2)
    """
    return [bars.copy() for bars in by_degree(diagrams, "diagrams")]


def to_persim(diagrams: Sequence[Any]) -> list[np.ndarray]:
    """As `to_ripser`, without essential bars, which persim's summaries and distances drop or miss.

    Examples
    --------
    >>> to_persim(Diagrams([[[0, 1], [0, np.inf]]]))[0].tolist()
    [[0.0, 1.0]]
    """
    return [finite_part(diagram) for diagram in to_ripser(diagrams)]


def from_gudhi(persistence: Sequence[Any]) -> Diagrams:
    """Diagrams of either form GUDHI gives them in.

    Parameters
    ----------
    persistence : pairs (degree, (birth, death)) of `SimplexTree.persistence`, in any order, or
        `(n, 2)` arrays by degree, of `persistence_intervals_in_dimension`. Pairs do not name a
        degree without bars above the highest one with any.

    Raises
    ------
    ValueError for what is in neither form, and arrays that are no diagrams.

    Examples
    --------
    >>> from_gudhi([(1, (1.0, 1.5)), (0, (0.0, np.inf)), (0, (0.0, 1.0))])
    Diagrams(H0: 2 bars, H1: 1 bars; GUDHI)
    >>> from_gudhi([np.array([[0.0, 1.0]])])[0].tolist()
    [[0.0, 1.0]]
    """
    try:
        items = list(persistence)
        are_arrays = not items or len(items[0]) == 0 or np.ndim(items[0][0]) > 0
        bars = [] if are_arrays else [(degree, *bar) for degree, bar in items]
        triples = np.array(bars, dtype=np.float64).reshape(len(bars), 3)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise ValueError("persistence must hold pairs (degree, (birth, death))") from None
    diagrams = items if are_arrays else _by_degree(triples[:, 1:], triples[:, 0])
    return Diagrams(diagrams, {"engine": "GUDHI"})


def to_gudhi(diagrams: Sequence[Any]) -> list[tuple[int, tuple[float, float]]]:
    """Pairs (degree, (birth, death)) as of `SimplexTree.persistence`: degrees and bars descending.

    GUDHI's other form, arrays by degree, is that of `to_ripser`.

    Examples
    --------
    >>> to_gudhi(Diagrams([[[0, 1], [0, np.inf]], [[1, 1.5]]]))
    [(1, (1.0, 1.5)), (0, (0.0, inf)), (0, (0.0, 1.0))]
    """
    pairs = []
    for degree, diagram in reversed(list(enumerate(to_ripser(diagrams)))):
        longest_first = np.argsort(diagram[:, 0] - diagram[:, 1], kind="stable")
        pairs += [(degree, (birth, death)) for birth, death in diagram[longest_first].tolist()]
    return pairs


def from_giotto(triples: Any, reduced: bool = True) -> list[Diagrams]:
    """Diagrams of giotto-tda's padded array.

    Parameters
    ----------
    triples : `(n_samples, n_bars, 3)`, or `(n_bars, 3)` of one sample, rows (birth, death, degree);
        rows that die when they are born are padding, and dropped.
    reduced : whether the array lacks one infinite bar of H0, as giotto-tda's does by default
        (``reduced_homology=True``). It is put back, born with the first bar of H0; arrays without
        any row of degree 0 were made without H0 and get none. With ``max_edge_length`` giotto-tda
        writes the bars that are alive there as if they died there, and they stay so.

    Returns
    -------
    One Diagrams per sample, all with as many degrees.

    Raises
    ------
    ValueError for another shape, degrees that are not whole, and bars that are none.

    Examples
    --------
    >>> from_giotto([[[0, 1, 0], [0, 0, 0], [1, 2, 1]]])[0][0].tolist()
    [[0.0, 1.0], [0.0, inf]]
    """
    array = as_numbers(triples, "triples")
    if array.ndim not in (2, 3) or array.shape[-1] != 3:
        raise ValueError(f"triples must have shape (n_samples, n_bars, 3); got shape {array.shape}")
    array = array.reshape(-1, *array.shape[-2:])  # one sample is a sample
    _check_degrees(array[..., 2])
    n_degrees = int(array[..., 2].max(initial=0)) + 1
    samples = []
    for sample in array:
        bars, degrees = sample[:, :2], sample[:, 2]
        real = bars[:, 0] != bars[:, 1]
        diagrams = _by_degree(bars[real], degrees[real], n_degrees)
        if reduced and (degrees == 0).any():
            essential = [[bars[degrees == 0, 0].min(), np.inf]]
            diagrams[0] = np.concatenate([diagrams[0], essential])
        samples.append(Diagrams(diagrams, {"engine": "giotto-tda"}))
    return samples


def to_giotto(
    collection: Sequence[Sequence[Any]],
    reduced: bool = True,
    infinity_value: float | None = None,
) -> np.ndarray:
    """giotto-tda's padded array of the diagrams of several clouds.

    Parameters
    ----------
    collection : Diagrams, all with as many degrees.
    reduced : leave out the earliest infinite bar of H0, as giotto-tda does by default.
    infinity_value : death written for every other infinite bar, which giotto-tda's summaries
        cannot take; by default there must be none.

    Returns
    -------
    `(n_samples, n_bars, 3)` float64, rows (birth, death, degree) by degree. Samples with fewer
    bars of a degree than others, and degrees without any, are filled with rows that die when they
    are born, at the first birth of that degree in the collection.

    Raises
    ------
    ValueError for no or unequal Diagrams, no infinite bar to leave out, and infinite bars without
    a value.

    Examples
    --------
    >>> to_giotto([Diagrams([[[0, 1], [0, np.inf]], []])]).tolist()
    [[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    if not isinstance(collection, Iterable) or isinstance(collection, Diagrams):
        kind = type(collection).__name__
        raise TypeError(f"collection must be Diagrams of several clouds, in a list; got {kind}")
    samples = [to_ripser(diagrams) for diagrams in collection]
    counts = [len(sample) for sample in samples]
    if len(set(counts)) != 1 or counts[0] == 0:
        raise ValueError(f"collection must hold Diagrams of as many degrees each; got {counts}")
    blocks = []
    for degree, diagrams in enumerate(zip(*samples, strict=True)):
        rows = list(diagrams)
        if reduced and degree == 0:
            rows = [_without_first_essential(bars, i) for i, bars in enumerate(rows)]
        rows = [_with_finite_deaths(bars, infinity_value, i, degree) for i, bars in enumerate(rows)]
        n_bars = max(1, *(len(bars) for bars in rows))
        first = min((bars[:, 0].min() for bars in rows if len(bars)), default=0.0)
        block = np.full((len(rows), n_bars, 3), [first, first, degree], dtype=np.float64)
        for i, bars in enumerate(rows):
            block[i, : len(bars), :2] = bars
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def _by_degree(
    bars: np.ndarray, degrees: np.ndarray, n_degrees: int | None = None
) -> list[np.ndarray]:
    _check_degrees(degrees)
    if n_degrees is None:
        n_degrees = int(degrees.max()) + 1
    return [bars[degrees == degree] for degree in range(n_degrees)]


def _check_degrees(degrees: np.ndarray) -> None:
    whole = (degrees >= 0) & (degrees < HIGHEST) & (degrees == np.floor(degrees))
    if not whole.all():
        raise ValueError(
            f"degrees must be whole and not negative, below {HIGHEST}; got {degrees[~whole][0]}"
        )


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be a number; got a {type(value).__name__}") from None


def _without_first_essential(bars: np.ndarray, sample: int) -> np.ndarray:
    essential = np.flatnonzero(np.isinf(bars[:, 1]))
    if len(essential) == 0:
        raise ValueError(
            f"collection[{sample}] has no infinite bar in H0 to leave out; pass reduced=False"
        )
    return np.delete(bars, essential[np.argmin(bars[essential, 0])], axis=0)


def _with_finite_deaths(
    bars: np.ndarray, infinity_value: float | None, sample: int, degree: int
) -> np.ndarray:
    infinite = np.isinf(bars[:, 1])
    if infinite.any() and infinity_value is None:
        raise ValueError(
            f"collection[{sample}] has {infinite.sum()} infinite bars in H{degree}, which "
            "giotto-tda cannot take; give them an infinity_value"
        )
    if infinity_value is not None:
        bars[infinite, 1] = infinity_value
    return as_diagram(bars, f"H{degree} of collection[{sample}]")
