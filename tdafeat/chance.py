"""Whether a classifier knows the classes: what knows nothing when clean has nothing to lose."""

from __future__ import annotations

from tdafeat.record import Estimate


def knows(clean: Estimate, n_classes: int) -> bool:
    """Whether the accuracy on clean images is far above chance, and surely above it.

    Far is twice chance, or of few classes half of the way from chance to 1.

    Parameters
    ----------
    clean : with its interval; one that is not known is not surely above.
    n_classes : of fewer than two chance is not known, and taken as 0.

    Examples
    --------
    >>> knows(Estimate(0.3, 0.2, 0.4), n_classes=10), knows(Estimate(0.3, 0.2, 0.4), n_classes=4)
    (True, False)
    """
    chance = 1 / n_classes if n_classes > 1 else 0.0
    far = chance + min(chance, (1 - chance) / 2)
    return clean.low > chance and clean.value > far
