"""The images of a study by name: test and train sets of every seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tdafeat.sources.groups import check_classes

if TYPE_CHECKING:
    from tdafeat.datasets import ImageSet
    from tdafeat.study import Study


def load_sets(
    study: Study, root: str | Path | None
) -> tuple[dict[int, ImageSet], dict[int, ImageSet]]:
    """Test images, of every class the same number, and train images, by seed; checked."""
    from tdafeat import datasets

    if not study.seeds:
        raise ValueError("seeds must name at least one seed")
    tests, trains = {}, {}
    for seed in study.seeds:
        whole = datasets.load(
            study.dataset, "test", root, study.limit, seed, corrupted=study.corrupted
        )
        tests[seed] = test = whole.per_class(len(whole), seed)
        trains[seed] = train = datasets.load(study.dataset, "train", root, study.limit, seed)
        check_classes(test.labels, test.classes, study.dataset)
        if train.classes != test.classes:
            different = sorted(set(train.classes) ^ set(test.classes))
            raise ValueError(
                f"{study.dataset}: train and test images must have the same classes; "
                f"{different[0]!r} is in one of them only"
            )
    return tests, trains
