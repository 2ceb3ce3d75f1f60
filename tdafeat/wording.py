"""How a run speaks of its levels: degrees of a noise, steps of a training, or one level alone.

The column ``noise`` of a run's tables, and the entry of its manifest, say which of them it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

TRAINING = "training"  # what stands in place of a noise's name


@dataclass(frozen=True)
class Wording:
    """The words for one kind of level.

    Attributes
    ----------
    zero, other : names of level 0 and of the others, as formats of severity and parameter.
    kind : of levels, as a format of the noise's name.
    parameter, level, axis : what a level's parameter is, titles of legends and of the axis.
    fixed : one level, as in "at a fixed noise level".
    along : how curves run, "against noise".
    cause, the_cause : what moves features from level to level.
    first, later, origin : the features at level 0, those after it, and level 0 itself.
    reference : level 0 in the title of a metric that compares with it.
    ends : the first and the last level.
    strongest : the last level.
    same : what is the same for all classes at one level.
    accurate : what a class is that does well.
    fitted_on : what predictors are fitted on.
    overall, by_class : what to look for in curves of accuracy.
    definitions : what to know when reading definitions.
    """

    zero: str
    other: str
    kind: str
    parameter: str
    level: str
    axis: str
    fixed: str
    along: str
    cause: str
    the_cause: str
    first: str
    later: str
    origin: str
    reference: str
    ends: str
    strongest: str
    same: str
    accurate: str
    fitted_on: str
    overall: str
    by_class: str
    definitions: str = ""

    def named(self, severity: int, parameter: float) -> str:
        """A level's name in figures and tables.

        Examples
        --------
        >>> NOISE.named(0, 0.0), NOISE.named(1, 0.08), COURSE.named(1, 40.0)
        ('clean', '1 (0.08)', '40')
        """
        name = self.other if severity else self.zero
        return name.format(severity=severity, parameter=parameter)

    def titled(self, title: str) -> str:
        """A metric's title, which calls level 0 clean.

        Examples
        --------
        >>> COURSE.titled("displacement from clean")
        'displacement from start'
        """
        return title.replace("clean", self.reference)


NOISE = Wording(
    zero="clean",
    other="{severity} ({parameter:g})",
    kind="{name} noise",
    parameter="severity",
    level="severity (parameter)",
    axis="noise severity (parameter)",
    fixed="noise level",
    along="against noise",
    cause="noise",
    the_cause="the noise",
    first="clean",
    later="noisy",
    origin="severity 0",
    reference="clean",
    ends="clean and at the strongest noise",
    strongest="strongest noise",
    same="noise",
    accurate="robust",
    fitted_on="clean training images alone",
    overall="A robust space loses little from left to right.",
    by_class="Lines that fall early are the classes that noise takes first.",
)

STILL = replace(NOISE, zero="test images", along="", fitted_on="training images alone")

COURSE = Wording(
    zero="{parameter:.0f}",
    other="{parameter:.0f}",
    kind="training",
    parameter="step",
    level="step",
    axis="training step",
    fixed="step",
    along="along training",
    cause="training",
    the_cause="training",
    first="first",
    later="later",
    origin="the first step",
    reference="start",
    ends="at the first and at the last step",
    strongest="last step",
    same="step",
    accurate="well-learned",
    fitted_on="the training images, encoded anew at every step",
    overall="A space that learns rises from left to right; one that collapses stops learning.",
    by_class="Lines that rise early are the classes learned first.",
    definitions=" What a definition calls clean are the features at the first step, and noisy "
    "those at a later one.",
)


def wording(noise: str) -> Wording:
    """The words for the levels of a noise of this name, of a training, or of no noise at all."""
    return {TRAINING: COURSE, "": STILL}.get(noise, NOISE)


def wording_of(table: pd.DataFrame) -> Wording:
    """The words for a run's table, by its column ``noise``.

    Examples
    --------
    >>> wording_of(pd.DataFrame({"noise": ["training"]})).level
    'step'
    """
    return wording(table["noise"].iloc[0]) if "noise" in table and len(table) else NOISE


def listed(items: Sequence[str]) -> str:
    """Names in a sentence.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed(["a"]), listed([])
    ('a, b and c', 'a', 'none')
    """
    if not items:
        return "none"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def printed(sentence: str) -> str:
    """A sentence of a run as a report prints it, which may use signs that a terminal may lack.

    Examples
    --------
    >>> printed("H1 longest bar (rho -0.52, 95 % interval -0.86 to +0.15) of ResNet-50")
    'H1 longest bar (ρ −0.52, 95 % interval −0.86 to +0.15) of ResNet-50'
    """
    return re.sub(r"(?<![\w.])-(?=\d)", "−", re.sub(r"\brho\b", "ρ", sentence))


def capital(text: str) -> str:
    """A text at the beginning of a sentence; titles of metrics begin small unless with a name.

    Examples
    --------
    >>> capital("mean angle"), capital("k-NN accuracy")
    ('Mean angle', 'K-NN accuracy')
    """
    return text[:1].upper() + text[1:]
