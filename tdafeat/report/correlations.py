"""The section on which metrics go with accuracy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tdafeat import figures
from tdafeat.report.model import Block, Figure, Interval, Note, Paragraph, Table
from tdafeat.report.records import Records
from tdafeat.report.selection import noisy
from tdafeat.run import Run
from tdafeat.wording import capital, printed

SCATTERS = 3
STRONGEST = 20  # metrics of each feature space in the figure
CHECKED = 10  # metrics of each feature space in the table of checks
ORDER = ("within level", "level-adjusted", "pooled")
THREE = (
    "Three correlations answer three questions. Within a level: do the classes with a higher "
    "value stay more accurate, at the same {same}? Level-adjusted: the same over all levels, "
    "after each level's mean rank is taken out. Pooled: over everything at once, where a "
    "metric may look good only because both sides move with {cause}."
)


def associations(run: Run, records: Records) -> Iterator[Block]:
    """Which metrics go with accuracy: rank correlations and the points behind the strongest."""
    # Over a handful of encoders a rank correlation says little; the findings tell it in words.
    table = run.associations[run.associations["scope_unit"] != "encoder"]
    every = table[table["value"].notna()]
    known = every[every["method"] == "spearman"]
    if table.empty:
        return
    if known.empty:
        reasons = sorted({status for status in table["status"] if status})
        yield Note("No correlation could be estimated: " + "; ".join(reasons) + ".")
        return
    titles, words = records.titles(known["metric"].drop_duplicates()), records.words
    trend = (
        f" at each level. A trend across colours is {words.the_cause}; a trend within one colour "
        f"is what would tell {words.accurate} classes apart"
    )
    if noisy(run):
        yield Paragraph(THREE.format(same=words.same, cause=words.the_cause))
    for finding in run.manifest["findings"]:
        yield Paragraph(printed(str(finding)))
    groups = known.groupby(["encoder", "layer"], sort=False)
    for (encoder, layer), rows in groups:
        space = _space(run, str(encoder), str(layer))
        yield Figure(
            figures.forest(rows, titles, STRONGEST),
            f"{space}: Spearman's rank correlation of {_each(rows)} with the primary accuracy, "
            "with 95 % intervals, each as of a metric named beforehand. Filled points stay "
            "significant after Holm's correction for all metrics; arrows beside the names mark "
            "the desirable direction.",
            f"forest-{space}",
            space,
        )
    yield _table(known, titles)
    yield from _checks(every, titles)
    strict = known[known["adjustment"].isin(ORDER[:1])]
    strength = strict["value"].abs().groupby(strict["metric"]).mean()
    for rank, name in enumerate(strength.sort_values(ascending=False).index[:SCATTERS]):
        rows = run.metrics[run.metrics["metric"].isin([name, run.manifest["primary"]])]
        per_class = rows[(rows["metric"] == name) & (rows["scope"] != "all")]
        if np.isfinite(per_class["value"]).any():
            yield Figure(
                figures.scatter(rows, name, run.manifest["primary"], titles[name]),
                f"{capital(records[name].title)} against accuracy, a point for each class"
                f"{trend * noisy(run)}.",
                f"scatter-{name}",
                detail=rank > 0,
            )


def _each(rows: pd.DataFrame) -> str:
    n = rows["metric"].nunique()
    return f"the {STRONGEST} strongest of {n} metrics" if n > STRONGEST else "each metric"


def _space(run: Run, encoder: str, layer: str) -> str:
    """The feature space's name in the other sections."""
    layers = run.metrics.loc[run.metrics["encoder"] == encoder, "layer"].nunique()
    return encoder if layers < 2 else f"{encoder} {layer}"


def intervals(rows: pd.DataFrame) -> pd.Series:
    """Correlations with their intervals, as cells of a table."""
    numbers = zip(rows["value"], rows["low"], rows["high"], strict=True)
    cells = [Interval(*each, _written(*each)) for each in numbers]
    return pd.Series(cells, rows.index, dtype=object)


def _written(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return "–"
    bounds = f" [{low:+.2f}, {high:+.2f}]" if np.isfinite(low) else ""
    return f"{value:+.2f}{bounds}".replace("-", "−")


def _checks(every: pd.DataFrame, titles: dict[str, str]) -> Iterator[Table]:
    """The strongest metrics by the other coefficients and corrections, and what was detectable."""
    keys = ["encoder", "layer", "noise", "metric"]
    strict = every[every["adjustment"] == ORDER[0]]
    primary = strict[strict["method"] == "spearman"]
    if primary["p_bh"].isna().all():  # a run of before they were computed
        return
    shown = primary.sort_values("value", key=np.abs, ascending=False, kind="stable")
    shown = shown.groupby(keys[:3], sort=False).head(CHECKED)
    frame = shown[[*keys, "p_holm", "p_bh", "detectable"]].assign(rho=intervals(shown))
    for method, symbol in (("kendall", "τ"), ("pearson", "r")):
        other = strict[strict["method"] == method]
        columns = {"value": symbol, "p_holm": f"p of {symbol}"}
        column = other[[*keys, *columns]].rename(columns=columns)
        frame = frame.merge(column, on=keys, how="left")
    formats = dict.fromkeys(("p", "p (BH)", "p of τ", "p of r"), ".2g")
    formats |= dict.fromkeys(("τ", "r"), "+.2f") | {"detectable": ".2f"}
    order = ["encoder", "metric", "rho", "p_holm", "p_bh"]
    order += ["τ", "p of τ", "r", "p of r", "detectable"]
    spread = ""
    if (shown["n_seeds"] > 1).any():
        frame["between seeds"] = shown["seed_sd"].to_numpy()
        order.append("between seeds")
        formats["between seeds"] = ".2f"
        spread = (
            " “Between seeds” is the standard deviation of rho from seed to seed; all else is "
            "computed from means over seeds."
        )
    names = {"rho": "ρ", "p_holm": "p", "p_bh": "p (BH)"}
    yield Table(
        frame[order].assign(metric=frame["metric"].map(titles)).rename(columns=names),
        f"The {CHECKED} strongest of each feature space within a level: Spearman's ρ, which the "
        "study goes by, Kendall's τ and Pearson's r as a check. Holm's correction, of p, bounds "
        "the chance of any false finding, Benjamini and Hochberg's (BH) the share of false ones "
        "among the findings. A ρ below “detectable” would more often than one time in five have "
        f"been missed.{spread}",
        "checks",
        formats,
    )


def _table(known: pd.DataFrame, titles: dict[str, str]) -> Table:
    wide = known.assign(interval=intervals(known))
    frame = wide.pivot_table(
        index=["encoder", "metric"],
        columns="adjustment",
        values="interval",
        aggfunc="first",
        sort=False,
    )
    order = [adjustment for adjustment in ORDER if adjustment in frame]
    within = known[known["adjustment"] == order[0]].set_index(["encoder", "metric"])
    within = within[~within.index.duplicated()].reindex(frame.index)
    frame = frame[order].fillna("–").assign(p=within["p_holm"], n=within["n"])
    frame = frame.iloc[np.argsort(-within["value"].abs().fillna(0).to_numpy(), kind="stable")]
    frame = frame.reset_index().assign(metric=lambda f: f["metric"].map(titles))
    names = {"p": "p (Holm)", "n": "units"}
    if len(order) == 1:
        names[order[0]] = "correlation"
    return Table(
        frame.rename(columns=names),
        "Rank correlations with their 95 % intervals, strongest first; p "
        f"{f'belongs to “{order[0]}” and ' * (len(order) > 1)}is corrected for all metrics at "
        "once.",
        "associations",
        {"p (Holm)": ".2g", "units": ".0f"},
        detail=True,
    )
