"""What prediction and added value say, in sentences made of their numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tdafeat.checks import check_share
from tdafeat.statistics.phrases import (
    A_UNIT,
    UNIT_NAMES,
    effect,
    go,
    metrics_of,
    some_of,
    space_of,
    title_of,
)
from tdafeat.statistics.units import GROUP
from tdafeat.wording import capital


def prediction_verdict(prediction: pd.DataFrame, primary: str, alpha: float = 0.05) -> list[str]:
    """How well clean features alone foretell the accuracy drop, a sentence or two per group.

    Parameters
    ----------
    prediction : the table that `prediction` returns; may be empty.
    primary : the accuracy it was made for, which is the reference.
    alpha : family-wise error rate that Holm's correction is held to, between 0 and 1.

    Examples
    --------
    >>> from tdafeat.statistics import prediction
    >>> table = pd.DataFrame([
    ...     dict(dataset="d", encoder="e", layer="l", noise="gaussian", severity=s, scope=f"c{c}",
    ...          metric=m, value=c * s)
    ...     for s in (0, 1) for c in range(3) for m in ("accuracy", "size")
    ... ])
    >>> print(*prediction_verdict(prediction(table, "accuracy"), "accuracy"))
    e (l) on d, gaussian: the drop of an unseen class is not estimable: 3 with finite values, at
    least 5 needed.
    """
    check_share(alpha, "alpha")
    return [
        f"{space_of(*key)}: {' '.join(_foretold(rows, primary, alpha))}"
        for key, rows in prediction.groupby(GROUP, sort=False, dropna=False)
    ]


def _foretold(rows: pd.DataFrame, primary: str, alpha: float) -> Iterator[str]:
    unit = str(rows["scope_unit"].iloc[0])
    one = A_UNIT[unit]
    known = rows.dropna(subset=["r2"])
    reference, tested = known[known["metric"] == primary], known[known["metric"] != primary]
    if tested.empty:
        reasons = rows.loc[rows["status"] != "ok", "status"].mode()  # of most metrics
        yield f"the drop of an unseen {unit} is {next(iter(reasons), 'not estimable')}."
        return
    best = tested.sort_values("r2", ascending=False, kind="stable").iloc[0]
    stand = int((tested["p_holm"] <= alpha).sum())
    size = (
        f"{capital(title_of(best['metric'], best['noise']))} does best: out-of-sample R² "
        f"{best['r2']:.2f}, an error of {100 * best['error']:.1f} points of accuracy against "
        f"{100 * best['error_of_mean']:.1f} for the mean drop, corrected p {best['p_holm']:.2g}"
    )
    over = f"over {int(best['n'])} {UNIT_NAMES[unit]}"
    yield (
        f"{some_of(stand, len(tested))}, measured on clean features alone, "
        f"{'foretells' if stand == 1 else 'foretell'} what noise costs {one} left out better "
        f"than the mean does ({over}). {size}."
        if stand
        else f"no evidence that {some_of('any', len(tested))}, measured on clean features "
        f"alone, foretells what noise costs {one} left out ({over}). {size}."
    )
    if len(reference):
        row = reference.iloc[0]
        yield f"Clean accuracy itself reaches R² {row['r2']:.2f} (p {row['p']:.2g})."


def added_verdict(added: pd.DataFrame, primary: str, alpha: float = 0.05) -> list[str]:
    """What topology adds to simpler metrics, a sentence per group and set of these.

    Parameters
    ----------
    added : the table that `added_value` returns; may be empty.
    primary : the accuracy it was made for.
    alpha : family-wise error rate that Holm's correction is held to, between 0 and 1.

    Examples
    --------
    >>> from tdafeat.statistics import added_value
    >>> table = pd.DataFrame([
    ...     dict(dataset="d", encoder="e", layer="l", noise="gaussian", severity=s, scope=f"c{c}",
    ...          metric=m, value=c * s)
    ...     for s in (0, 1) for c in range(3) for m in ("accuracy", "loops", "size")
    ... ])
    >>> found = added_value(table, "accuracy", of=["loops"], beyond={"size": ["size"]})
    >>> print(*added_verdict(found, "accuracy"))
    e (l) on d, gaussian: Beyond size nothing can be told (not estimable: 3 with finite values, at
    least 6 needed).
    """
    check_share(alpha, "alpha")
    return [
        f"{space_of(*key)}: {' '.join(_beyond(rows, primary, alpha))}"
        for key, rows in added.groupby(GROUP, sort=False, dropna=False)
    ]


def _beyond(rows: pd.DataFrame, primary: str, alpha: float) -> Iterator[str]:
    for beyond, part in rows.groupby("beyond", sort=False):
        tested = part.dropna(subset=["p_holm"])
        if tested.empty:
            yield f"Beyond {beyond} nothing can be told ({part['status'].iloc[0]})."
            continue
        tested = tested.sort_values("value", key=np.abs, ascending=False, kind="stable")
        stand = int((tested["p_holm"] <= alpha).sum())
        best = tested.iloc[0]
        one = A_UNIT[best["scope_unit"]]
        shared = f"which shares {100 * best['shared']:.0f} % of its rank variance with {beyond}"
        gain = (
            f"; added to {beyond} it takes the R² of {one} left out from "
            f"{best['r2_beyond']:.2f} to {best['r2_both']:.2f}"
            if not np.isnan(best["r2_both"])
            else ""
        )
        yield (
            f"Beyond {beyond}, {some_of(stand, len(tested))} of topology still "
            f"{go(stand)} with {title_of(primary)}; the strongest is "
            f"{effect(best)}, {shared}{gain}."
            if stand
            else f"Beyond {beyond}, there is no evidence that topology adds anything "
            f"({metrics_of(len(tested))}); the strongest is {effect(best)}, {shared}{gain}."
        )
