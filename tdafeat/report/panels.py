"""What sections of topology and of geometry share: panels of metrics, and pairs of classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tdafeat import figures
from tdafeat.figures.frames import levels, with_names
from tdafeat.report.model import Block, Figure, Table
from tdafeat.report.records import Records
from tdafeat.report.selection import by_level, drawable, noisy, spaces
from tdafeat.run import Run
from tdafeat.wording import capital

PANELS = 9


def curves(
    run: Run, records: Records, names: list[str], caption: str, label: str
) -> Iterator[Block]:
    """Metrics of the whole cloud over the levels, a panel for each."""
    rows = drawable(run.metrics, names)
    present = [name for name in names if name in set(rows["metric"])]
    if len(rows["severity"].unique()) < 2:
        return
    parts = [present[start : start + PANELS] for start in range(0, len(present), PANELS)]
    for place, part in enumerate(parts, start=1):
        chart = figures.curves(rows, part, records.titles(part))
        named = caption.replace(":", f" ({place} of {len(parts)}):", 1)
        told = named if len(parts) > 1 else caption
        yield Figure(chart, told, f"{label}-{place}", detail=place > 1)


def matrices(run: Run, records: Records, room: str) -> Iterator[Block]:
    """One heatmap for each space, of the most telling metric, and a table of all of them."""
    rows = run.pairs[np.isfinite(run.pairs["value"])]
    rows = rows[[records[name].room == room for name in rows["metric"]]]
    if rows.empty:
        return
    names = sorted(rows["metric"].unique())
    drawn = next((n for n in names if "mean" in n), names[-1])  # else the highest degree's
    about = records[drawn]
    for space, cells in spaces(rows[rows["metric"] == drawn]):
        yield Figure(
            figures.class_matrix(cells, drawn, about.title, about.unit),
            f"{space}: {capital(about.title)} for every pair of classes"
            f"{', at the levels named above' * noisy(run)}; classes that are alike stand "
            f"together{', in the same order in both panels' * noisy(run)}.",
            f"{drawn}-{space}",
            space,
        )
    angular = [records[name].unit == "radians" for name in rows["metric"]]
    named = with_names(rows.assign(value=rows["value"].mask(angular, np.degrees(rows["value"]))))
    groups = named.groupby(["space", "metric", "level"], sort=False)["value"]
    spread = groups.agg(["mean", "min", "max"]).reset_index()
    spread["cell"] = [
        f"{mean:.3g} ({low:.3g} to {high:.3g})"
        for mean, low, high in zip(spread["mean"], spread["min"], spread["max"], strict=True)
    ]
    frame = spread.pivot_table(
        index=["space", "metric"], columns="level", values="cell", aggfunc="first", sort=False
    )
    frame = frame[levels(named)].fillna("–").rename(index=records.titles(names), level="metric")
    yield Table(
        frame.reset_index().rename(columns={"space": "feature space"}),
        "Mean over all pairs of classes, with the smallest and the largest pair"
        f"{by_level(run, records.words)}{'; angles in degrees' if any(angular) else ''}.",
        f"pairs-{room}",
        detail=True,
    )
