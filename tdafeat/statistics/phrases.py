"""Words the sentences share: names of spaces and metrics, effects with their intervals."""

from __future__ import annotations

import pandas as pd

from tdafeat.wording import wording

UNIT_NAMES = {"class": "classes", "encoder": "encoders"}
A_UNIT = {"class": "a class", "encoder": "an encoder"}
LISTED = 5  # metrics named in one sentence


def title_of(name: str, noise: str = "") -> str:
    """A metric's title, in the words of this noise; its name if it is not installed."""
    from tdafeat.record import metrics

    return wording(noise).titled(metrics[name].title if name in metrics else name)


def space_of(dataset: object, encoder: object, layer: object, noise: object) -> str:
    """Of what a sentence speaks.

    Examples
    --------
    >>> space_of("dtd", "pixels", "rgb", "gaussian"), space_of("dtd", "all", "all", "")
    ('pixels (rgb) on dtd, gaussian', 'Across encoders on dtd')
    >>> space_of("features", "mine", "", "given")
    'mine on features, given'
    """
    space = f"{encoder} ({layer})" if layer else str(encoder)  # features of one's own have none
    if encoder == layer == "all":
        space = "Across encoders"
    return f"{space} on {dataset}{f', {noise}' if noise else ''}"


def effect(row: pd.Series) -> str:
    """A correlation with its interval and corrected p-value."""
    return (
        f"{title_of(row['metric'], row['noise'])} (rho {row['value']:+.2f}, 95 % interval "
        f"{row['low']:+.2f} to {row['high']:+.2f}, corrected p {row['p_holm']:.3g})"
    )


def go(count: int) -> str:
    """The verb for so many metrics."""
    return "goes" if count == 1 else "go"


def metrics_of(count: int) -> str:
    """So many metrics, in words.

    Examples
    --------
    >>> metrics_of(12), metrics_of(1)
    ('12 metrics', 'the one metric')
    """
    return f"{count} metrics" if count > 1 else "the one metric"


def some_of(which: int | str, count: int) -> str:
    """Some of so many metrics, in words.

    Examples
    --------
    >>> some_of(3, 12), some_of("any", 12), some_of("any", 1)
    ('3 of 12 metrics', 'any of 12 metrics', 'the one metric')
    """
    return f"{which} of {metrics_of(count)}" if count > 1 else metrics_of(count)
