"""What figures take: frames checked and named, and data inside a specification."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tdafeat.wording import wording_of

# Of a frame that does not say which cloud its rows are of.
ONE_CLOUD = {
    **{"encoder": "features", "layer": "", "noise": "noise", "severity": 0, "seed": 0},
    "scope": "all",
}


def checked(frame: pd.DataFrame, name: str, *columns: str, **optional: Any) -> pd.DataFrame:
    """The frame, if there is something to draw in it, with what it may leave out.

    Parameters
    ----------
    columns : that must be there.
    optional : columns that need not be, with their value.

    Returns
    -------
    The frame, with `optional` and the coordinates of a cloud where it lacks them.

    Raises
    ------
    TypeError for what is no DataFrame; ValueError that names the table, and the column that is
    missing or that it holds no rows.

    Examples
    --------
    >>> checked(pd.DataFrame({"birth": [0.0]}), "diagrams", "birth")["severity"].tolist()
    [0]
    >>> checked(pd.DataFrame({"birth": []}), "diagrams", "birth")
    Traceback (most recent call last):
    ValueError: diagrams holds no rows to draw
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{name} must be a pandas DataFrame; got {type(frame).__name__}")
    missing = [column for column in columns if column not in frame]
    if missing:
        raise ValueError(f"{name} must have a column {missing[0]!r}, as a run's table has")
    if frame.empty:
        raise ValueError(f"{name} holds no rows to draw")
    known = {**ONE_CLOUD, **optional}
    frame = frame.assign(**{name: value for name, value in known.items() if name not in frame})
    return frame if "parameter" in frame else frame.assign(parameter=frame["severity"])


def embed(frame: pd.DataFrame) -> alt.InlineData:
    """The rows as CSV inside the specification: a third of the size of JSON records.

    Numbers keep five significant digits, text stays text though it look like a number or a
    date; there is no limit on the number of rows.
    """
    values = frame.to_csv(index=False, float_format="%.5g", na_rep="NaN", lineterminator="\n")
    numeric = pd.api.types.is_numeric_dtype
    parse = {str(name): "number" if numeric(frame[name]) else "string" for name in frame}
    return alt.InlineData(values=values, format=alt.CsvDataFormat(type="csv", parse=parse))


def with_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Add ``space`` (encoder, and layer where an encoder has several) and ``level``.

    Severity 0 is "clean", or "test images" where there is no noise to tell it from.

    Examples
    --------
    >>> cells = {"encoder": ["a", "a"], "layer": ["", ""], "severity": [0, 1]}
    >>> with_names(pd.DataFrame(cells | {"parameter": [0.0, 0.08]}))["level"].tolist()
    ['clean', '1 (0.08)']
    """
    layers = frame.groupby("encoder")["layer"].transform("nunique")
    space = frame["encoder"].where(layers < 2, frame["encoder"] + " " + frame["layer"])
    words = wording_of(frame)
    coordinates = zip(frame["severity"], frame["parameter"], strict=True)
    level = [words.named(severity, parameter) for severity, parameter in coordinates]
    return frame.assign(space=space, level=pd.Series(level, index=frame.index, dtype=object))


def levels(frame: pd.DataFrame) -> list[str]:
    """Names of the levels of a frame that went through `with_names`, in order."""
    return frame.sort_values("severity", kind="stable")["level"].drop_duplicates().tolist()
