"""Rows of a run's tables that a section draws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tdafeat.figures.frames import with_names
from tdafeat.run import Run
from tdafeat.wording import Wording


def noisy(run: Run) -> bool:
    """Whether there is more than one level, so that there is something to say of noise."""
    return bool(run.manifest["noise"])


def by_level(run: Run, words: Wording) -> str:
    """The end of a caption that says what columns or panels stand for."""
    return f", by {words.axis}" * noisy(run)


def drawable(metrics: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Finite values of these metrics on the whole cloud."""
    kept = metrics["metric"].isin(names) & (metrics["scope"] == "all")
    return metrics[kept & np.isfinite(metrics["value"])]


def spaces(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The table's feature spaces by name, each at its first seed."""
    for space, cells in with_names(first_seed(table)).groupby("space", sort=False):
        yield str(space), cells.drop(columns=["space", "level"])


def first_seed(table: pd.DataFrame) -> pd.DataFrame:
    """The table at its first seed, for figures that cannot average."""
    return table[table["seed"] == table["seed"].min()]


def ends(cells: pd.DataFrame) -> pd.DataFrame:
    """The clean and the noisiest level."""
    return cells[cells["severity"].isin([cells["severity"].min(), cells["severity"].max()])]


def examples(run: Run, kind: str) -> pd.DataFrame:
    """Pictures of the study's own images, which are no analysis's."""
    return run.pictures[(run.pictures["analysis"] == "") & (run.pictures["kind"] == kind)]
