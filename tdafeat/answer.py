"""The answer a report opens with: a few sentences made of the run's numbers, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from typing import NamedTuple

import pandas as pd

from tdafeat.chance import knows
from tdafeat.course import told
from tdafeat.record import Estimate
from tdafeat.record import metrics as records
from tdafeat.statistics import MIN_UNITS, units_needed
from tdafeat.wording import COURSE, capital, listed, wording_of

LEVEL = 0.05  # family-wise, by Holm's correction
LARGE = 0.8  # the correlation over encoders that the answer speaks of
NUMBERS = ["value", "low", "high"]
FEW = 3  # feature spaces whose relations are told one by one


def answer(
    metrics: pd.DataFrame,
    associations: pd.DataFrame,
    primary: str,
    training: pd.DataFrame | None = None,
    added: pd.DataFrame | None = None,
    robustness: pd.DataFrame | None = None,
) -> list[str]:
    """Say how accuracy fares, whether topology goes with it, beyond what, and what would change it.

    Parameters
    ----------
    metrics : a run's metric table.
    associations : what `tdafeat.statistics.associations` made of it.
    primary : the accuracy chosen beforehand.
    training : of a training, what it logged.
    added : what `tdafeat.statistics.added_value` made of it.
    robustness : a run's table of how robust its predictors are.

    Returns
    -------
    At most three sentences with effect sizes, intervals and corrected p-values, "no evidence"
    where there is none; and a last one that says what would change the answer. Of a training,
    what `tdafeat.course.told` says instead.

    Examples
    --------
    >>> from tdafeat.statistics import COLUMNS
    >>> columns = ["encoder", "layer", "severity", "scope", "metric", "value", "low", "high"]
    >>> row = ["pixels", "rgb", 0, "all", "probe_accuracy", 0.5, 0.4, 0.6]
    >>> table, nothing = pd.DataFrame([row], columns=columns), pd.DataFrame(columns=COLUMNS)
    >>> answer(table, nothing, "probe_accuracy")[0]
    'Linear probe accuracy on test images: pixels 50 [40, 60] %.'
    """
    if metrics.empty:
        return ["Nothing could be measured: every cell failed."]
    if wording_of(metrics) is COURSE:
        return told(metrics, pd.DataFrame() if training is None else training, primary)
    by_class = associations[
        (associations["scope_unit"] == "class") & (associations["method"] == "spearman")
    ]
    noisy = bool(metrics["severity"].max() > 0)
    sentence, unknowing = _accuracies(metrics, primary, robustness)
    within = by_class[by_class["adjustment"] == "within level"].dropna(subset=["value"])
    if within.empty:
        return [sentence, "No class-wise relation could be estimated.", _more_classes(metrics)]
    within = within[~within["encoder"].isin(unknowing)]
    if within.empty:
        return [sentence, "What would change it: an encoder that knows these classes when clean."]
    by_class = by_class[~by_class["encoder"].isin(unknowing)]
    third = _beyond(added, unknowing) if added is not None else ""
    if not third and noisy:
        third = _pooling(by_class)
    sentences = [sentence, _topology(within, primary, noisy), third, _change(within, metrics)]
    return [sentence for sentence in sentences if sentence]


def _title(name: str) -> str:
    return records[name].title


class _Space(NamedTuple):
    """How accuracy fares in a feature space."""

    name: str
    clean: Estimate
    worst: Estimate  # at the highest severity
    knows: bool  # the classes, when clean
    robustness: Mapping[str, Estimate]


def _spaces(
    metrics: pd.DataFrame, primary: str, robustness: pd.DataFrame | None
) -> Iterator[_Space]:
    """Each feature space; numbers are means over the seeds."""
    n_classes = metrics.loc[metrics["scope"] != "all", "scope"].nunique()
    rows = metrics[(metrics["metric"] == primary) & (metrics["scope"] == "all")]
    summaries: dict[tuple[object, object], dict[str, Estimate]] = {}
    if robustness is not None and len(robustness):
        own = robustness["method"].eq(primary.removesuffix("_accuracy"))
        kept = robustness[own & robustness["scope"].eq("all")]
        for (encoder, layer), part in kept.groupby(["encoder", "layer"], sort=False):
            found = part.groupby("summary")[NUMBERS].mean()
            summaries[encoder, layer] = {
                str(name): Estimate(*numbers)
                for name, numbers in zip(found.index, found.to_numpy().tolist(), strict=True)
            }
    for (encoder, layer), part in rows.groupby(["encoder", "layer"], sort=False):
        by_level = part.groupby("severity")[NUMBERS].mean().to_numpy().tolist()
        clean, worst = Estimate(*by_level[0]), Estimate(*by_level[-1])
        robust = summaries.get((encoder, layer), {})
        yield _Space(str(encoder), clean, worst, knows(clean, n_classes), robust)


def _accuracies(
    metrics: pd.DataFrame, primary: str, robustness: pd.DataFrame | None
) -> tuple[str, list[str]]:
    """How accuracy fares, and the spaces whose classifier knows too little to lose anything."""
    spaces = list(_spaces(metrics, primary, robustness))
    unknowing = [space.name for space in spaces if not space.knows]
    end = (
        f" (even clean, {listed(unknowing)} {'is' if len(unknowing) == 1 else 'are'} "
        "not clearly above chance: there is no robustness to ask about)"
        if unknowing
        else ""
    )
    start = capital(_title(primary))
    if metrics["severity"].max() == 0:
        shares = [f"{space.name} {_percent(space.clean)} %" for space in spaces]
        return f"{start} on test images: {listed(shares)}{end}.", unknowing
    shares = [f"{s.name} {_percent(s.clean)} to {_percent(s.worst)} %" for s in spaces]
    told = [s for s in spaces if s.knows and s.robustness]
    if told and len(spaces) == 1:
        shares[0] += f" ({_robustness(told[0].robustness)})"
    elif len(told) > 1:
        end = f"{_extremes(told)}{end}"
    return f"{start}, from clean images to the strongest noise: {listed(shares)}{end}.", unknowing


def _robustness(found: Mapping[str, Estimate]) -> str:
    """The curve of one feature space in three numbers."""
    half = found["half_severity"]
    lost = (
        "no level halves its excess over chance"
        if half.value == float("inf")
        else f"excess over chance halved at severity {_interval(half, '.2g')}"
    )
    return (
        f"{_percent(found['accuracy_area'])} % on average over the levels, under noise "
        f"{_percent(found['relative_accuracy'])} % of clean; {lost}"
    )


def _extremes(spaces: Sequence[_Space]) -> str:
    """Which of several feature spaces keep most and least of their clean accuracy."""
    ranked = sorted(spaces, key=lambda space: space.robustness["relative_accuracy"].value)
    most, least = (
        f"{space.name} keeps {which} of its clean accuracy, "
        f"{_percent(space.robustness['relative_accuracy'])} %"
        for space, which in ((ranked[-1], "most"), (ranked[0], "least"))
    )
    return f"; under noise {most}, and {least}"


def _percent(found: Estimate) -> str:
    return _interval(Estimate(100 * found.value, 100 * found.low, 100 * found.high), ".0f")


def _interval(found: Estimate, spec: str) -> str:
    """A number with its 95 % interval, where one is known."""
    value, low, high = (format(x, spec).replace("inf", "∞") for x in astuple(found))
    return value if math.isnan(found.low) else f"{value} [{low}, {high}]"


def _topology(within: pd.DataFrame, primary: str, noisy: bool) -> str:
    """Which topological metrics go with class accuracy at a fixed level, per feature space."""
    topological = within[[records[name].room == "topology" for name in within["metric"]]]
    if topological.empty:
        return "No topological metric was measured per class."
    found, nothing = [], []
    for encoder, rows in topological.groupby("encoder", sort=False):
        ranked = rows.sort_values("value", key=abs, ascending=False, kind="stable")
        standing = ranked[ranked["p_holm"] <= LEVEL]
        if standing.empty:
            nothing.append((str(encoder), ranked.iloc[0]))
        else:
            strongest = f"strongest: {_effect(standing.iloc[0])}"
            found.append(f"{encoder} ({len(standing)} of {len(rows)}; {strongest})")
    units = int(topological["n"].max())
    start = "At a fixed noise level, over" if noisy else "Over"
    text = f"{start} {units} classes and corrected for all metrics of a feature space, "
    goes_with = f"topological metrics go with {_title(primary)} in "
    if not found:
        return f"{text}there is no evidence that {goes_with}{_strongest(nothing)}."
    if not nothing:
        return f"{text}{goes_with}{listed(found)}."
    return f"{text}{goes_with}{listed(found)}; there is no evidence of it in {_strongest(nothing)}."


def _strongest(spaces: Sequence[tuple[str, pd.Series]]) -> str:
    """Feature spaces, each with its strongest relation; if they are many, the strongest of all."""
    if len(spaces) <= FEW:
        return listed([f"{name} (strongest: {_effect(row)})" for name, row in spaces])
    where, row = max(spaces, key=lambda space: abs(space[1]["value"]))
    return f"{listed([name for name, _ in spaces])} (strongest, in {where}: {_effect(row)})"


def _effect(row: pd.Series) -> str:
    return (
        f"{_title(row['metric'])}, rho {row['value']:+.2f} "
        f"[{row['low']:+.2f}, {row['high']:+.2f}], p {row['p_holm']:.2g}"
    )


def _pooling(by_class: pd.DataFrame) -> str:
    """What a look at all levels at once would have suggested."""
    strength = by_class.assign(size=by_class["value"].abs()).groupby("adjustment")["size"].median()
    pooled, within = float(strength["pooled"]), float(strength["within level"])
    sizes = (
        f"the median |rho| of all metrics is {pooled:.2f} pooled and {within:.2f} within a level"
    )
    if round(pooled, 2) > round(within, 2):
        return (
            f"Pooled over noise levels metrics look stronger ({sizes}), because noise moves "
            f"metrics and accuracy alike: that part is no evidence."
        )
    return f"Pooling the noise levels would not have made it look stronger: {sizes}."


def _beyond(added: pd.DataFrame, unknowing: Sequence[str]) -> str:
    """Whether topology goes with accuracy beyond how far noise moves the features."""
    rows = added[(added["beyond"] == "displacement") & (added["scope_unit"] == "class")]
    rows = rows[~rows["encoder"].isin(unknowing)].dropna(subset=["p_holm"])
    if rows.empty:
        return ""
    rows = rows.sort_values("value", key=abs, ascending=False, kind="stable")
    standing = rows[rows["p_holm"] <= LEVEL]
    start = "Beyond how far noise moves the features (displacement), "
    if standing.empty:
        return (
            f"{start}there is no evidence that topology adds anything (strongest, in "
            f"{rows['encoder'].iloc[0]}: {_effect(rows.iloc[0])})."
        )
    counts = standing.groupby("encoder", sort=False).size()
    where = listed([f"{encoder} ({count})" for encoder, count in counts.items()])
    return (
        f"{start}topological metrics still go with it in {where} (strongest, in "
        f"{standing['encoder'].iloc[0]}: partial {_effect(standing.iloc[0])})."
    )


def _change(within: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """What would change the answer: more classes for what was not found, encoders for what was."""
    topological = within[[records[name].room == "topology" for name in within["metric"]]]
    tested = topological.dropna(subset=["p_holm"])
    if tested.empty:
        return ""
    start = "What would change it: "
    n_encoders = metrics[["encoder", "layer"]].drop_duplicates().shape[0]
    if (tested["p_holm"] <= LEVEL).any():
        enough = units_needed(LARGE)
        return (
            f"{start}more encoders; what is true of the classes within an encoder need not be "
            f"true of encoders, {n_encoders} {'was' if n_encoders == 1 else 'were'} measured, and "
            f"a rank correlation of {LARGE} across encoders takes about {enough} of them, for one "
            f"metric named beforehand."
        )
    best = tested.sort_values("value", key=abs, ascending=False, kind="stable").iloc[0]
    n_tests = int(within[within["encoder"] == best["encoder"]]["p_holm"].notna().sum())
    needed = units_needed(float(best["value"]), n_tests)
    count = f"about {needed}" if needed else "more than any data set has"
    return (
        f"{start}more classes; a correlation as strong as the strongest here "
        f"({best['value']:+.2f}, in {best['encoder']}) would take {count} of them to stand "
        f"out of {n_tests} metrics four times in five, and {int(best['n'])} were measured."
    )


def _more_classes(metrics: pd.DataFrame) -> str:
    n = metrics.loc[metrics["scope"] != "all", "scope"].nunique()
    return (
        f"What would change it: at least {MIN_UNITS['class']} classes with noise that tells them "
        f"apart; {n} {'was' if n == 1 else 'were'} measured."
    )
