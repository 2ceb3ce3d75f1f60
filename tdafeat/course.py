"""What became of the variants of a training: which collapsed, when, and what they know at the end.

Two ways to collapse are told apart by numbers of the features alone. Where all images come to
one point, directions lose their spread; where they come to lie on a line, the effective rank
falls to one while the spread may stay (dimensional collapse, Jing et al. 2022).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tdafeat.record import metrics as records
from tdafeat.wording import listed

SMALLEST_RANK = 2.0
SMALLEST_SHARE = 0.1
CRITERION = (
    "A variant counts as collapsed at a step if the effective rank of its test features is below "
    f"{SMALLEST_RANK:g}, or if their spread of directions (1 less the mean cosine of all pairs) is "
    f"under {100 * SMALLEST_SHARE:g} % of the largest it had at any step so far. It collapsed by "
    "the first step measured from which on this holds to the end. Features are judged, not what "
    "the training's own loss asks of them."
)


@dataclass(frozen=True, eq=False)
class Course:
    """One training of one variant.

    Attributes
    ----------
    values : by step and metric, with ``spread``, 1 less the mean cosine.
    collapsed : (steps,) whether the criterion holds at each of them.
    """

    variant: str
    values: pd.DataFrame
    collapsed: np.ndarray

    @property
    def by(self) -> float | None:
        """First step from which on it is collapsed to the end; None if it is not at the end."""
        if not self.collapsed[-1]:
            return None
        open_until = np.flatnonzero(~self.collapsed)
        return float(self.values.index[open_until[-1] + 1 if len(open_until) else 0])

    @property
    def kind(self) -> str:
        """What shows the collapse at the step it collapsed by; nothing if it did not."""
        if self.by is None:
            return ""
        then = self.values.loc[self.by]
        if then.get("effective_rank", np.nan) < SMALLEST_RANK:
            return f"effective rank below {SMALLEST_RANK:g}"
        return "directions lost their spread"

    @property
    def once(self) -> list[float]:
        """Steps at which it was collapsed, if it recovered."""
        return [] if self.by is not None else self.values.index[self.collapsed].tolist()


def courses(metrics: pd.DataFrame) -> list[Course]:
    """The course of every variant and seed, from a run's metric table.

    Examples
    --------
    >>> columns = ["encoder", "layer", "seed", "scope", "parameter", "metric", "value"]
    >>> rows = [["a", "cls", 0, "all", step, "effective_rank", rank]
    ...         for step, rank in ((0, 8.0), (20, 3.0), (40, 1.2), (80, 1.0))]
    >>> courses(pd.DataFrame(rows, columns=columns))[0].by
    40.0
    """
    whole = metrics[metrics["scope"] == "all"]
    found = []
    for (variant, _, _), rows in whole.groupby(["encoder", "layer", "seed"], sort=False):
        values = rows.pivot_table(index="parameter", columns="metric", values="value")
        spread = 1 - values.get("mean_cosine", pd.Series(np.nan, values.index))
        flat = values.get("total_variance", pd.Series(np.nan, values.index)) == 0
        rank = values.get("effective_rank", pd.Series(np.nan, values.index))
        collapsed = flat | (rank < SMALLEST_RANK) | (spread < SMALLEST_SHARE * spread.cummax())
        found.append(Course(str(variant), values.assign(spread=spread), collapsed.to_numpy()))
    return found


def told(metrics: pd.DataFrame, training: pd.DataFrame, primary: str) -> list[str]:
    """Per variant, whether and by when it collapsed, with the numbers that say so.

    Parameters
    ----------
    metrics : a training's metric table.
    training : what was logged: ``variant``, ``step``, ``quantity``, ``value``; may be empty.
    primary : the accuracy chosen beforehand.
    """
    found = courses(metrics)
    by_variant: dict[str, list[Course]] = {}
    for course in found:
        by_variant.setdefault(course.variant, []).append(course)
    n_classes = metrics.loc[metrics["scope"] != "all", "scope"].nunique()
    chance = f"Chance is {100 / n_classes:.0f} %." if n_classes else ""
    n_seeds = max(len(own) for own in by_variant.values())
    repeats = (
        "Each variant was trained once, so none of this says how another seed would fare."
        if n_seeds == 1
        else f"Numbers are means over {n_seeds} trainings of each variant."
    )
    sentences = [
        f"{name}: {_fate(own)}; {'; '.join([*_evidence(own, primary), *_logged(training, name)])}."
        for name, own in by_variant.items()
    ]
    return [_verdict(by_variant), *sentences, f"{chance} {repeats}".strip()]


def _verdict(by_variant: dict[str, list[Course]]) -> str:
    """Which variants collapsed in any of their trainings, and which did not."""
    gone = [name for name, own in by_variant.items() if any(c.by is not None for c in own)]
    kept = [name for name in by_variant if name not in gone]
    if not gone:
        return "The features of no variant collapsed."
    if not kept:
        return "The features of every variant collapsed."
    return f"The features of {listed(gone)} collapsed; those of {listed(kept)} did not."


def _fate(own: list[Course]) -> str:
    steps = sorted(course.by for course in own if course.by is not None)
    if len(own) > 1 and steps:
        when = f"{steps[0]:.0f}" + (f" to {steps[-1]:.0f}" if steps[-1] > steps[0] else "")
        kinds = " or ".join(sorted({course.kind for course in own} - {""}))
        return f"collapsed in {len(steps)} of {len(own)} trainings, by step {when} ({kinds})"
    if steps:
        return f"collapsed by step {steps[0]:.0f} ({own[0].kind})"
    once = sorted({step for course in own for step in course.once})
    if once:
        return f"recovered from a collapse (at step {', '.join(f'{s:.0f}' for s in once)})"
    return "no collapse"


def _evidence(own: list[Course], primary: str) -> Iterator[str]:
    """The numbers at the first and at the last step, means over the seeds."""
    ends = [course.values.iloc[[0, -1]] for course in own]
    first, last = (ends[0].index[k] for k in (0, 1))
    told_of = [
        ("spread", "spread of directions"),
        ("effective_rank", "effective rank"),
        ("nearest_neighbour_distance", "median nearest-neighbour distance"),
    ]
    start = f"from step {first:.0f} to {last:.0f} "
    for name, title in told_of:
        if name in ends[0]:
            values = pd.DataFrame([table[name].to_numpy() for table in ends]).mean()
            before, after = (f"{v:.2g}" if np.isfinite(v) else "undefined" for v in values)
            yield f"{start}{title} {before} to {after}"
            start = ""
    if primary in ends[0]:
        before, after = np.mean([table[primary].to_numpy() for table in ends], axis=0)
        yield f"{start}{records[primary].title} {100 * before:.0f} to {100 * after:.0f} %"


def _logged(training: pd.DataFrame, variant: str) -> Iterator[str]:
    """What the training itself logged last, means over the seeds."""
    if training.empty:
        return
    own = training[training["variant"] == variant]
    last = own[own["step"] == own["step"].max()].groupby("quantity", sort=False)["value"].mean()
    if len(last):
        yield "logged last: " + ", ".join(f"{name} {value:.2g}" for name, value in last.items())
