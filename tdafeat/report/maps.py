"""The section of maps: features in the plane, and images beside their nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator

from tdafeat import figures
from tdafeat.examples import NEIGHBOURS
from tdafeat.report.model import Block, Figure
from tdafeat.report.records import Records
from tdafeat.report.selection import examples, noisy, spaces
from tdafeat.run import Run

METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP", "pacmap": "PaCMAP"}


def projections(run: Run, records: Records) -> Iterator[Block]:
    """Maps of the features, coloured by class."""
    images = "the same images at every level, fitted jointly" if noisy(run) else "the test images"
    dissolving = f" Clusters that dissolve are classes that {records.words.cause} mixes."
    distant = " Distances between far clusters mean little."
    galleries = examples(run, NEIGHBOURS)
    for space, cells in spaces(galleries) if len(galleries) else ():
        yield Figure(
            figures.pictures(cells),
            f"{space}: Some test images, the first of each row, and those nearest to them by "
            "cosine. A whole blue frame is the same class, a broken orange one another.",
            f"neighbours-{space}",
            space,
        )
    for space, cells in spaces(run.projections):
        several = cells["method"].nunique() > 1
        for (subset, method), rows in cells.groupby(["subset", "method"], sort=False):
            those = f", those of {subset} alone" if subset else ""
            yield Figure(
                figures.projection(rows),
                f"{space}: {METHODS.get(str(method), method)} of {images}{those}, coloured by "
                f"class.{dissolving * noisy(run)}{distant * (method != 'pca')}",
                f"{method}-{'few-' * bool(subset)}{space}",
                space,
                detail=several and method == "pca",
            )
