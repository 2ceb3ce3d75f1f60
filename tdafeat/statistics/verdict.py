"""What the correlations of a run say, in sentences made of its numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tdafeat.checks import check_share
from tdafeat.statistics.coefficients import ADJUSTMENTS, METHODS, Method
from tdafeat.statistics.phrases import (
    LISTED,
    UNIT_NAMES,
    effect,
    go,
    some_of,
    space_of,
    title_of,
)
from tdafeat.statistics.units import GROUP, MIN_UNITS
from tdafeat.wording import Wording, wording_of


def verdict(associations: pd.DataFrame, primary: str, alpha: float = 0.05) -> list[str]:
    """What the associations say, in sentences a reader can quote.

    Parameters
    ----------
    associations : the table that `associations` returns; may be empty.
    primary : the accuracy it was made for.
    alpha : family-wise error rate that Holm's correction is held to, and false discovery rate
        that Benjamini and Hochberg's is; between 0 and 1.

    Returns
    -------
    A paragraph per encoder: which metrics go with accuracy within noise levels, with effect sizes,
    intervals and corrected p-values, or that there is no evidence; how strong a correlation would
    have been found; how many stand by the other correction, by the other coefficients and after
    adjusting for the level; what pooling does; and how much seeds differ.

    Examples
    --------
    >>> verdict(pd.DataFrame(), "probe_accuracy")
    ['Nothing was measured per class, so no metric can be related to linear probe accuracy.']
    """
    check_share(alpha, "alpha")
    outcome = title_of(primary)
    if associations.empty:
        return [f"Nothing was measured per class, so no metric can be related to {outcome}."]
    words = wording_of(associations)
    sentences = [
        f"{space_of(*key)}: {' '.join(_of_group(rows, outcome, alpha, words))}"
        for key, rows in associations.groupby(GROUP, sort=False, dropna=False)
    ]
    n_encoders = associations["encoder"].nunique()
    if (associations["scope_unit"] == "class").all() and n_encoders < MIN_UNITS["encoder"]:
        sentences.append(
            f"Across encoders nothing is estimable: {n_encoders} measured, and at least "
            f"{MIN_UNITS['encoder']} are needed."
        )
    return sentences


def _of_group(rows: pd.DataFrame, outcome: str, alpha: float, words: Wording) -> list[str]:
    by = {
        kind: rows[(rows["method"] == kind[0]) & (rows["adjustment"] == kind[1])]
        for kind in ((method, adjustment) for method in METHODS for adjustment in ADJUSTMENTS)
    }
    strict = by[METHODS[0], "within level"]
    tested = strict.dropna(subset=["p_holm"])
    if tested.empty:
        return [f"{rows['status'].iloc[0]}."]
    several = not by[METHODS[0], "pooled"].empty  # noise levels
    tested = tested.sort_values("value", key=np.abs, ascending=False, kind="stable")
    sentences = [_found(tested, outcome, alpha, words.fixed * several), _power(tested)]
    sentences.append(_checks(by, tested, alpha))
    if several:
        adjusted = by[METHODS[0], "level-adjusted"].dropna(subset=["p_holm"])
        stand = int((adjusted["p_holm"] <= alpha).sum())
        sentences.append(
            f"Adjusted for the level instead, {stand} of {len(adjusted)} {go(stand)} with it."
        )
        sentences.append(_pooling(strict, by[METHODS[0], "pooled"], words))
    if (n_seeds := int(tested["n_seeds"].max())) > 1:
        sentences.append(
            f"Values are means over {n_seeds} seeds; from seed to seed the correlations differ by "
            f"a standard deviation of {tested['seed_sd'].median():.2f} (median over the metrics)."
        )
    return sentences


def _found(tested: pd.DataFrame, outcome: str, alpha: float, fixed: str) -> str:
    found = tested[tested["p_holm"] <= alpha]
    units = f"{int(tested['n'].max())} {UNIT_NAMES[str(tested['scope_unit'].iloc[0])]}"
    if found.empty:
        return (
            f"no evidence that {some_of('any', len(tested))} goes with {outcome} over the {units}"
            f"{f' at a fixed {fixed}' if fixed else ''}; the strongest is "
            f"{effect(tested.iloc[0])}."
        )
    shown = "; ".join(effect(row) for _, row in found.head(LISTED).iterrows())
    more = f"; and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return (
        f"{f'at a fixed {fixed}, ' if fixed else ''}{some_of(len(found), len(tested))} "
        f"{go(len(found))} with {outcome} over the {units} after Holm's "
        f"correction{_topological(tested, found)}: {shown}{more}."
    )


def _power(tested: pd.DataFrame) -> str:
    """How strong a correlation these units could have shown."""
    bound = tested["detectable"].min()
    if np.isnan(bound):
        return "With so few of them and so many metrics, not even a perfect one would stand out."
    return (
        f"Among so many, a correlation of {bound:.2f} would have been found four times in five; "
        "weaker ones may be there unseen."
    )


def _checks(by: dict[tuple[Method, str], pd.DataFrame], tested: pd.DataFrame, alpha: float) -> str:
    """How many stand by Benjamini and Hochberg, and by the other coefficients."""
    discovered = int((tested["p_bh"] <= alpha).sum())
    checks: dict[Method, str] = {"kendall": "Kendall's tau", "pearson": "Pearson's r"}
    others = [
        f"{int((by[method, 'within level']['p_holm'] <= alpha).sum())} by {name}"
        for method, name in checks.items()
        if not by[method, "within level"].empty
    ]
    rate = f"With a false discovery rate of {100 * alpha:.0f} % instead, {discovered} would stand"
    return f"{rate}; after Holm's correction {' and '.join(others)}." if others else f"{rate}."


def _pooling(strict: pd.DataFrame, pooled: pd.DataFrame, words: Wording) -> str:
    within, together = (rows["value"].abs().median() for rows in (strict, pooled))
    sizes = f"median |rho| {together:.2f} pooled, {within:.2f} within levels"
    if together > within:
        return (
            f"Pooling the {words.fixed}s makes metrics look stronger ({sizes}) because the level "
            "moves both; the difference is no evidence about the metric."
        )
    return f"Pooling the {words.fixed}s does not make metrics look stronger ({sizes})."


def _topological(tested: pd.DataFrame, found: pd.DataFrame) -> str:
    """How many of the metrics found are topological, where any such was tested."""
    from tdafeat.record import metrics

    among_tested, among_found = (
        sum(name in metrics and metrics[name].room == "topology" for name in rows["metric"])
        for rows in (tested, found)
    )
    return f", {among_found or 'none'} of them topological" if among_tested else ""
