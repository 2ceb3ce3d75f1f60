"""Features with the names of the images they came from: what flows from extraction to analysis.

Users who bring their own features start here: `FeatureSet.read` takes ``.npy``, ``.safetensors``
and ``.parquet`` files, and nothing downstream asks where a `FeatureSet` came from.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tdafeat.checks import as_array, as_entries, as_labels
from tdafeat.errors import DataUnavailable, Unpaired, UnreadableData
from tdafeat.files import at, local_copy


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """One feature cloud, each row named by its image.

    Parameters
    ----------
    features : (n_samples, n_features) float32, finite.
    ids : one distinct, stable name per row; clean and noisy rows are paired by it.
    labels : (n_samples,) int64, indices into `classes`.
    classes : class names.
    provenance : what made the features (data set, encoder, preprocessing, noise), JSON-able.

    Raises
    ------
    ValueError if shapes disagree, ids repeat, a label has no class, or an entry is not finite;
    TypeError for labels that are no whole numbers.

    Examples
    --------
    >>> import numpy as np
    >>> cloud = FeatureSet(np.eye(2), ids=("a", "b"), labels=[0, 1], classes=("cat", "dog"))
    >>> cloud.features.shape, cloud.classes[cloud.labels[1]]
    ((2, 2), 'dog')
    """

    features: np.ndarray
    ids: tuple[str, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        features = as_array(self.features, "features", 2).astype(np.float32, copy=False)
        labels = as_entries(self.labels, "labels")
        if labels.dtype.kind in "OUS":
            raise TypeError(
                f"labels must be whole numbers, indices into classes; got dtype {labels.dtype}"
            )
        labels = as_labels(labels, len(features))
        ids = tuple(str(i) for i in self.ids)
        if len(features) != len(ids):
            raise ValueError(
                f"features and ids must have one entry per image; "
                f"got {len(features)} and {len(ids)}"
            )
        if len(set(ids)) < len(ids):
            ((twice, _),) = Counter(ids).most_common(1)
            raise ValueError(f"ids must be distinct; {twice!r} stands twice")
        if len(labels) and (labels.min() < 0 or labels.max() >= len(self.classes)):
            raise ValueError(
                f"labels must be indices into the {len(self.classes)} classes; "
                f"got values from {labels.min()} to {labels.max()}"
            )
        bad = ~np.isfinite(features).all(axis=1)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise ValueError(
                f"features must be finite; {bad.sum()} of {len(features)} rows hold NaN or inf, "
                f"the first is row {row} (id {ids[row]!r})"
            )
        for name, value in (("features", features), ("labels", labels), ("ids", ids)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "classes", tuple(str(c) for c in self.classes))

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Any) -> FeatureSet:
        """The rows at these indices, in this order."""
        rows = np.asarray(rows)
        return FeatureSet(
            self.features[rows],
            tuple(self.ids[i] for i in rows),
            self.labels[rows],
            self.classes,
            self.provenance,
        )

    def paired_with(
        self,
        other: FeatureSet,
        names: tuple[str, str] = ("clean", "noisy"),
        same_space: bool = True,
    ) -> FeatureSet:
        """`other` with its rows brought into this set's order of ids.

        Raises
        ------
        Unpaired if an id is missing on either side, an image's label differs or, in the
        `same_space`, the number of columns.
        """
        position = {image: row for row, image in enumerate(other.ids)}
        missing = [image for image in self.ids if image not in position]
        surplus = set(other.ids) - set(self.ids)
        if missing or surplus:
            example = missing[0] if missing else sorted(surplus)[0]
            raise Unpaired(
                f"{names[0]} and {names[1]} features must describe the same images: "
                f"{len(missing)} ids are only in {names[0]}, {len(surplus)} only in {names[1]}, "
                f"for example {example!r}"
            )
        paired = other.take([position[image] for image in self.ids])
        mine = [self.classes[c] for c in self.labels]
        theirs = [paired.classes[c] for c in paired.labels]
        for image, a, b in zip(self.ids, mine, theirs, strict=True):
            if a != b:
                raise Unpaired(
                    f"image {image!r} is {a!r} in {names[0]} and {b!r} in {names[1]} features"
                )
        if same_space and paired.features.shape[1] != self.features.shape[1]:
            raise Unpaired(
                f"{names[0]} features have {self.features.shape[1]} columns, "
                f"{names[1]} features {paired.features.shape[1]}"
            )
        return FeatureSet(paired.features, self.ids, self.labels, self.classes, paired.provenance)

    @classmethod
    def read(
        cls,
        path: str | Path,
        labels: str | Path | Sequence[Any] | None = None,
        ids: str | Path | Sequence[Any] | None = None,
    ) -> FeatureSet:
        """Read features from a ``.npy``, ``.safetensors`` or ``.parquet`` file, by path or URL.

        ``.npy`` holds the (n, d) array alone; give `labels` and `ids` beside it, as sequences,
        ``.npy`` files or text files with one entry per line. ``.safetensors`` holds tensors
        ``features`` and optionally ``labels`` and ``ids``. ``.parquet`` holds columns ``label``
        and ``id`` and the features, as one column of lists named ``features`` or as all other
        (numeric) columns. Without ids the row number is the id.

        Raises
        ------
        DataUnavailable if a file is missing; UnreadableData if it is not what its name says;
        ValueError for an unknown ending or missing labels.
        """
        path = at(path)
        readers = {".npy": _read_npy, ".safetensors": _read_safetensors, ".parquet": _read_parquet}
        if path.suffix not in readers:
            raise ValueError(f"{path}: features must end in {', '.join(readers)}")
        columns = _readable(path, readers[path.suffix])
        if labels is not None:
            columns["labels"] = _column(labels)
        if ids is not None:
            columns["ids"] = _column(ids)
        if columns.get("labels") is None:
            raise ValueError(f"{path}: has no labels; give them beside it (labels=, --labels FILE)")
        names = [str(label) for label in columns["labels"]]
        classes = sorted(set(names), key=lambda name: (not name.isdigit(), name.zfill(12), name))
        index = {name: k for k, name in enumerate(classes)}
        row_ids = columns.get("ids")
        features = np.asarray(columns["features"])
        try:
            return cls(
                features,
                tuple(map(str, range(len(features)) if row_ids is None else row_ids)),
                np.array([index[name] for name in names], dtype=np.int64),
                tuple(classes),
                {"file": path.name, "ids": "row numbers" if row_ids is None else "given"},
            )
        except (ValueError, TypeError) as error:
            raise UnreadableData(f"{path}: {error}") from None


def _readable(path: Path, reader: Any) -> Any:
    """`reader(path)`, with every way a file can be bad told as one sentence that names it."""
    if not path.is_file():
        raise DataUnavailable(f"{path}: there is no such file")
    try:
        with local_copy(path) as copy:
            return reader(copy)
    except UnreadableData:
        raise
    except Exception as error:  # parquet, safetensors and numpy each raise types of their own
        reason = str(error).split("\n")[0] or type(error).__name__
        raise UnreadableData(f"{path}: not a readable {path.suffix} file ({reason})") from None


def _read_npy(path: Path) -> dict[str, Any]:
    return {"features": np.load(path, allow_pickle=False)}


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata() or {}
    if "features" not in tensors:
        held = ", ".join(sorted(tensors)) or "nothing"
        raise UnreadableData(f"{path}: needs a tensor named 'features'; it holds {held}")
    columns = {name: tensors.get(name) for name in ("features", "labels", "ids")}
    for name in ("labels", "ids"):  # strings cannot be tensors, so they may stand as JSON lists
        if columns[name] is None and name in metadata:
            columns[name] = json.loads(metadata[name])
    return columns


def _read_parquet(path: Path) -> dict[str, Any]:
    import pandas as pd

    frame = pd.read_parquet(path)
    columns: dict[str, Any] = {"labels": None, "ids": None}
    for name, spellings in (("labels", ("label", "labels")), ("ids", ("id", "ids"))):
        for column in spellings:
            if column in frame:
                columns[name] = frame.pop(column).tolist()
    rest = frame
    if "features" in rest:
        columns["features"] = np.stack([np.asarray(row) for row in rest["features"]])
        return columns
    text = [c for c in rest if rest[c].dtype.kind not in "biuf"]
    if text or rest.shape[1] == 0:
        raise UnreadableData(
            f"{path}: needs a column of lists named 'features', or numeric columns beside "
            f"'label' and 'id'; " + (f"{text[0]!r} is not numeric" if text else "there is none")
        )
    columns["features"] = rest.to_numpy()
    return columns


def _column(values: str | Path | Sequence[Any]) -> Sequence[Any]:
    if not isinstance(values, (str, Path)):
        return list(values)
    path = at(values)
    if path.suffix == ".npy":
        return list(_readable(path, lambda p: np.load(p, allow_pickle=False)))
    return [line for line in _readable(path, _read_lines) if line]


def _read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
