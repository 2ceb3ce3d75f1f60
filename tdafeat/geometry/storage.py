"""Moments in a file, to be merged where the parts of a data set meet; checksummed, no pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tdafeat.errors import DataUnavailable, UnreadableData
from tdafeat.files import at, contents, replace
from tdafeat.geometry.moments import Moments
from tdafeat.geometry.paired_moments import Joint, PairedMoments


def save_moments(path: str | Path, moments: Moments | PairedMoments) -> None:
    """Write moments to a file, whole or not at all.

    Parameters
    ----------
    path : file to write, or a URL that fsspec knows; one that is there is replaced.
    moments : `Moments` or `PairedMoments`, of part of a data set or of all of it.

    Raises
    ------
    TypeError for anything else; OSError where it cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "part-1.moments"
    >>> cloud = np.random.default_rng(0).normal(size=(60, 3))
    >>> save_moments(path, Moments.of(cloud[:25]))
    >>> (load_moments(path) + Moments.of(cloud[25:])).n
    60
    """
    if isinstance(moments, Moments):
        arrays = {name: value for name, value in vars(moments).items() if value is not None}
    elif isinstance(moments, PairedMoments):
        arrays = _of_pairs(moments)
    else:
        raise TypeError(f"moments must be Moments or PairedMoments; got {type(moments).__name__}")
    from tdafeat.artefact import pack  # with pandas, which nothing else here needs

    replace(at(path), pack({"kind": type(moments).__name__}, {}, arrays))


def load_moments(path: str | Path) -> Moments | PairedMoments:
    """Read what `save_moments` wrote, to the bit.

    Parameters
    ----------
    path : the file, or its URL.

    Raises
    ------
    DataUnavailable if there is no such file; UnreadableData if it is damaged or another thing.
    Nothing in it is ever unpickled.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "all.moments"
    >>> save_moments(path, Moments.of(np.eye(3)))
    >>> load_moments(path).n
    3
    """
    from tdafeat.artefact import meta, unpack

    try:
        content = contents(at(path))
    except FileNotFoundError:
        raise DataUnavailable(f"{path}: there is no such file") from None
    try:
        kind, arrays = meta(content).get("kind"), dict(unpack(content).arrays)
        if kind == "Moments":
            return _moments(arrays)
        if kind == "PairedMoments":
            return _pairs(arrays)
        raise ValueError(f"it says that it is {kind!r}")
    except Exception as error:  # a damaged or malicious file can raise whatever its readers raise
        raise UnreadableData(
            f"{path} holds no moments as tdafeat saves them: {error or type(error).__name__}"
        ) from None


def _moments(arrays: dict[str, np.ndarray]) -> Moments:
    c, d = arrays["means"].shape
    shapes = {"classes": (c,), "counts": (c,), "means": (c, d), "squares": (c,), "within": (d, d)}
    shapes |= {"directions": (d,)} | ({"scatters": (c, d, d)} if "scatters" in arrays else {})
    _check(arrays, shapes)
    return Moments(**arrays)


_JOINTS = ("cross", "first", "second")


def _of_pairs(moments: PairedMoments) -> dict[str, np.ndarray]:
    arrays = {
        "sums": np.array([moments.moved, moments.turned]),
        "n": np.array(moments.n),
        "mean_a": moments.means[0],
        "mean_b": moments.means[1],
    }
    for name in _JOINTS:
        joint: Joint = getattr(moments, name)
        arrays[f"{name}_products"] = joint.products
        arrays[f"{name}_tilted_a"], arrays[f"{name}_tilted_b"] = joint.tilted
        arrays[f"{name}_scalars"] = np.array([*joint.squares, joint.quartic])
    return arrays


def _pairs(arrays: dict[str, np.ndarray]) -> PairedMoments:
    d, e = len(arrays["mean_a"]), len(arrays["mean_b"])
    shapes: dict[str, tuple[int, ...]] = {"sums": (2,), "n": (), "mean_a": (d,), "mean_b": (e,)}
    joints = {}
    for name, rows, columns in zip(_JOINTS, (d, d, e), (e, d, e), strict=True):
        shapes |= {f"{name}_products": (rows, columns), f"{name}_scalars": (3,)}
        shapes |= {f"{name}_tilted_a": (rows,), f"{name}_tilted_b": (columns,)}
        u, v, quartic = map(float, arrays[f"{name}_scalars"])
        tilted = arrays[f"{name}_tilted_a"], arrays[f"{name}_tilted_b"]
        joints[name] = Joint(arrays[f"{name}_products"], (u, v), tilted, quartic)
    _check(arrays, shapes)
    moved, turned = map(float, arrays["sums"])
    means = arrays["mean_a"], arrays["mean_b"]
    return PairedMoments(int(arrays["n"]), means, **joints, moved=moved, turned=turned)


def _check(arrays: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]]) -> None:
    found = {name: array.shape for name, array in arrays.items()}
    if found != shapes or any(array.dtype.kind not in "if" for array in arrays.values()):
        raise ValueError(f"its arrays are not as they should be; got {found}")
