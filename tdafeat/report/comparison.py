"""Several runs side by side: the content of a comparison, for the page and the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from tdafeat import figures
from tdafeat.figures.frames import levels, with_names
from tdafeat.report import background, performance
from tdafeat.report.correlations import ORDER, intervals
from tdafeat.report.differences import comparable, differences, left_out, unknowing
from tdafeat.report.model import Block, Figure, Paragraph, Report, Section, Table
from tdafeat.report.records import Records
from tdafeat.report.selection import first_seed
from tdafeat.run import Run
from tdafeat.wording import capital, listed

WIDE = 5  # feature spaces side by side in one table
WORDY = 3  # where cells hold intervals
STRONG = 0.05  # corrected p below which a correlation counts


def names(runs: Sequence[Run]) -> list[str]:
    """What tells the runs apart: the ends of their paths, no longer than they must be.

    Raises
    ------
    ValueError if there are fewer than two, or one of them is given twice.
    """
    if len(runs) < 2:
        raise ValueError(f"a comparison takes at least two runs; got {len(runs)}")
    paths = [run.folder.resolve() for run in runs]
    for k, path in enumerate(paths):
        if path in paths[:k]:
            raise ValueError(f"{runs[k].folder} is given twice")
    parts = [path.parts for path in paths]
    return ["/".join(_tail(own, [other for other in parts if other != own])) for own in parts]


def _tail(own: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The shortest end of a path that none of the others has."""
    ends = (own[-n:] for n in range(1, len(own)))
    return next((end for end in ends if all(o[-len(end) :] != end for o in others)), own)


def build(runs: Sequence[Run]) -> Report:
    """Everything a comparison says.

    Parameters
    ----------
    runs : at least two, each of a folder of its own.

    Raises
    ------
    ValueError as `names` does.
    """
    named = dict(zip(names(runs), runs, strict=True))
    whole = _merged(named)
    records = Records(whole)
    primaries = list(dict.fromkeys(str(run.manifest["primary"]) for run in runs))
    parts = {
        "What differs": differences(named),
        "Accuracy": _accuracy(whole, records, primaries),
        "Metrics of the whole cloud": _metrics(whole, records),
        "What goes with accuracy": _associations(whole, records),
        "Definitions": background.definitions(whole, records),
        "References": background.references(whole, records),
    }
    made = {title: tuple(blocks) for title, blocks in parts.items()}
    alike = comparable(runs)
    shown = with_names(whole.metrics) if alike else whole.metrics[:0].assign(level="")
    return Report(
        f"{listed(list(named))} side by side",
        "Which feature spaces stay accurate, and do the same metrics go with accuracy everywhere?",
        (
            *_answer(whole, records, primaries[0], alike),
            *unknowing(named),
            *left_out(named),
        ),
        f"{len(runs)} runs · {whole.metrics['encoder'].nunique()} feature spaces",
        tuple(Section(title, blocks) for title, blocks in made.items() if blocks),
        classes=tuple(map(str, runs[0].manifest["classes"])) if alike else (),
        levels=tuple(levels(shown)),
        level_title=records.words.fixed,
    )


def _merged(named: Mapping[str, Run]) -> Run:
    """One run of all: its encoders are the feature spaces of each, under the run's name."""
    runs = list(named.values())
    spaces = [set(with_names(run.metrics)["space"]) for run in runs]
    alone = all(len(own) == 1 and own == spaces[0] for own in spaces)

    def joined(table: str) -> pd.DataFrame:
        frames = [_renamed(getattr(run, table), name, alone) for name, run in named.items()]
        return pd.concat(frames, ignore_index=True)

    described = [run.manifest["metrics"] for run in reversed(runs)]
    metrics = {name: about for each in described for name, about in each.items()}
    unused = {name: getattr(runs[0], name)[:0] for name in ("pairs", "similarities", "prediction")}
    return replace(
        runs[0],
        manifest={**runs[0].manifest, "metrics": metrics},
        metrics=joined("metrics"),
        associations=joined("associations"),
        robustness=joined("robustness"),
        **unused,
    )


def _renamed(table: pd.DataFrame, run: str, alone: bool) -> pd.DataFrame:
    spaces = with_names(table.assign(severity=0, parameter=0.0))["space"]
    frame = table.assign(encoder=run if alone else f"{run} · " + spaces, layer="")
    if "summary" not in frame:
        return frame
    return first_seed(frame).assign(seed=0)  # robustness; of metrics all seeds are averaged


def _ends(rows: pd.DataFrame, column: str = "value") -> pd.DataFrame:
    """Values, or their bounds, of the whole cloud at the first and last level, means over seeds."""
    whole = rows[(rows["scope"] == "all") & rows["value"].notna()]
    spans = rows.groupby("encoder", sort=False)["severity"].agg(["min", "max"])
    at = whole["severity"].to_numpy()
    own = spans.reindex(whole["encoder"])
    keys = ["encoder", "metric"]
    first = whole[at == own["min"].to_numpy()].groupby(keys, sort=False)[column].mean()
    last = whole[at == own["max"].to_numpy()].groupby(keys, sort=False)[column].mean()
    last = last.where(last.index.get_level_values(0).map(spans["max"] > spans["min"]))
    return pd.DataFrame({"first": first, "last": last}).reset_index()


def _accuracy(whole: Run, records: Records, primaries: Sequence[str]) -> Iterator[Block]:
    """Curves of all runs, those of other levels apart, and what they come to."""
    for primary in primaries:
        rows = whole.metrics[(whole.metrics["metric"] == primary) & whole.metrics["value"].notna()]
        levels_of = {
            encoder: str((own["noise"].iloc[0], sorted(set(own["parameter"]))))
            for encoder, own in rows.groupby("encoder", sort=False)
        }
        for k, (_, own) in enumerate(rows.groupby(rows["encoder"].map(levels_of), sort=False)):
            if own["severity"].nunique() < 2:
                continue
            classes = own.groupby("encoder")["scope"].agg(frozenset)
            alike = len(set(classes)) == 1  # else one line of chance would be wrong
            alone = f"{classes.index[0]}: " if len(classes) == 1 else ""  # no legend names it
            yield Figure(
                figures.accuracy(own if alike else own[own["scope"] == "all"], primary),
                f"{alone}{capital(records[primary].title)} on the test images at each "
                f"{records.words.fixed}, means over the seeds of a run, with its 95 % interval "
                f"where one is known. {records.words.overall}",
                f"accuracy-{primary}-{k + 1}",
            )
    frame = _ends(whole.metrics)
    frame = frame[frame["metric"].str.endswith("_accuracy")]
    if not frame.empty:
        frame = frame.assign(
            metric=[records[name].title for name in frame["metric"]],
            first=100 * frame["first"],
            last=100 * frame["last"],
        )
        heads = [f"{records.words.reference} (%)", f"{records.words.strongest} (%)"]
        yield Table(
            frame.set_axis(["feature space", "accuracy", *heads], axis=1),
            f"Accuracies {records.words.ends}, in percent; means over the seeds of a run.",
            "accuracies",
            dict.fromkeys(heads, ".1f"),
        )
    yield from performance.robustness(whole, records)


def _metrics(whole: Run, records: Records) -> Iterator[Block]:
    """Every metric, a column for each feature space, clean and at the last level."""
    ends = _ends(whole.metrics)
    words = records.words
    for column, where in (("first", words.reference), ("last", words.strongest)):
        known = ends[ends[column].notna()]
        if known.empty:
            continue
        wide = known.pivot_table(index="metric", columns="encoder", values=column, sort=False)
        frame = wide.rename(index=records.titles(wide.index)).reset_index()
        for k, spaces in enumerate(_chunks(list(map(str, wide)), WIDE)):
            yield Table(
                frame[["metric", *spaces]],
                f"Metrics of the whole cloud, {where}; means over the seeds of a run. An arrow "
                "marks the desirable direction where there is one; – where a run has no value.",
                f"metrics-{column}-{k + 1}",
                dict.fromkeys(spaces, ".4g"),
            )


def _associations(whole: Run, records: Records) -> Iterator[Block]:
    """Correlations within a level, a column for each feature space."""
    rows = _within(whole)
    if rows.empty:
        return
    yield Paragraph(
        "Rank correlations over classes at the same level, with their 95 % intervals. Holm's "
        "correction counts the metrics of one run, not those of all runs: what stands out in one "
        "run alone of many needs a run of its own to be believed."
    )
    shown = [
        replace(cell, text=f"{cell} p = {p:.2g}") if np.isfinite(p) else cell
        for cell, p in zip(intervals(rows), rows["p_holm"], strict=True)
    ]
    wide = rows.assign(cell=shown).pivot_table(
        index="metric", columns="encoder", values="cell", aggfunc="first", sort=False
    )
    strength = rows["value"].abs().groupby(rows["metric"]).mean().reindex(wide.index)
    wide = wide.iloc[np.argsort(-strength.to_numpy(), kind="stable")].fillna("–")
    frame = wide.rename(index=records.titles(wide.index)).reset_index()
    for k, spaces in enumerate(_chunks(list(map(str, wide)), WORDY)):
        yield Table(
            frame[["metric", *spaces]],
            "Spearman's ρ with the run's primary accuracy within a level, its 95 % interval and "
            "p after Holm's correction; strongest on average first.",
            f"associations-{k + 1}",
        )


def _within(whole: Run) -> pd.DataFrame:
    """Spearman's correlations over classes at the same level."""
    table = whole.associations
    kept = (table["method"] == "spearman") & (table["adjustment"] == ORDER[0])
    return table[kept & table["value"].notna() & (table["scope_unit"] != "encoder")]


def _answer(whole: Run, records: Records, primary: str, alike: bool) -> Iterator[str]:
    """Who is most accurate, where that can be said, and which correlations all runs share."""
    ends, low, high = (
        _ends(whole.metrics, each)
        .loc[lambda frame: frame["metric"] == primary]
        .set_index("encoder")
        for each in ("value", "low", "high")
    )
    if not alike:
        yield (
            "The runs do not share their data, noise and primary accuracy: accuracies side by side "
            "do not say which feature space is better."
        )
    elif not ends.empty:
        title = records[primary].title
        for column, where in (
            ("first", records.words.reference),
            ("last", records.words.strongest),
        ):
            known = ends[column].dropna()
            if not known.empty:
                best = known.index[known == known.max()]
                least, most = (100 * bound.loc[best[0], column] for bound in (low, high))
                known_to = f" [{least:.1f}, {most:.1f}]" if len(best) == 1 and least < most else ""
                percent = f"{100 * known.max():.1f}{known_to} %"
                yield f"Highest {title}, {where}: {listed(list(best))}, with {percent}."
    rows = _within(whole)
    spaces = rows["encoder"].nunique()
    if spaces < 2:
        return
    counted = rows[rows["p_holm"] < STRONG]
    signs = np.sign(counted["value"]).groupby(counted["metric"]).agg(["size", "nunique"])
    everywhere = signs.index[(signs["size"] == spaces) & (signs["nunique"] == 1)]
    shared = [records[name].title for name in everywhere]
    many = rows["metric"].nunique()
    yield (
        f"Of {many} metrics, {len(shared) or 'none'} {'goes' if len(shared) < 2 else 'go'} with "
        f"accuracy within a level in all {spaces} feature spaces, in the same direction (p below "
        f"{STRONG} after Holm's correction in each){': ' * bool(shared)}"
        f"{listed(shared) if shared else ''}."
    )


def _chunks(spaces: list[str], size: int) -> list[list[str]]:
    return [spaces[k : k + size] for k in range(0, len(spaces), size)]
