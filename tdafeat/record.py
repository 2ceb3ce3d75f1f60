"""The bottom layer: what is known of metrics and analyses, and the registries that open the suite.

A metric is a plain function of arrays with a record attached by `@metric`; an analysis makes
pictures and curves of a whole feature space. A registry maps the
names users type to objects, suggests the nearest name on a typo, and takes further entries from
other packages through an entry-point group of the same name (``tdafeat.metrics`` and so on).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, Literal, TypeVar

from tdafeat.errors import UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one kind, built in or brought by other packages.

    Parameters
    ----------
    kind : what an entry is called in messages, e.g. ``"metric"``.
    group : entry-point group other packages use to add entries.
    builtin : modules whose import registers the built-in entries; imported on first use, so
        that listing names never costs more than it must.

    Examples
    --------
    >>> colours = Registry("colour", "example.colours")
    >>> colours.add("red", "#ff0000")
    >>> colours["red"]
    '#ff0000'
    >>> colours["rde"]
    Traceback (most recent call last):
    tdafeat.errors.UnknownName: unknown colour 'rde'; did you mean 'red'? Known: red
    """

    def __init__(self, kind: str, group: str, builtin: Sequence[str] = ()) -> None:
        self.kind = kind
        self.group = group
        self._builtin = builtin
        self._entries: dict[str, T] = {}
        self._loaded = False

    def add(self, name: str, entry: T) -> None:
        """Register `entry` under `name`; a name taken by something else is a ValueError."""
        if self._entries.get(name, entry) is not entry:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True  # first, because a built-in module may look another entry up
        for module in self._builtin:
            import_module(module)
        for point in entry_points(group=self.group):
            self.add(point.name, point.load())

    def __getitem__(self, name: str) -> T:
        self._load()
        if not isinstance(name, str):
            raise TypeError(
                f"{self.kind} must be a name, one of {sorted(self._entries)}; got {name!r}"
            )
        if name not in self._entries:
            near = difflib.get_close_matches(name, self._entries, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            known = ", ".join(sorted(self._entries))
            raise UnknownName(f"unknown {self.kind} {name!r}{hint} Known: {known}")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(self._entries)

    def __len__(self) -> int:
        self._load()
        return len(self._entries)

    def items(self) -> Iterator[tuple[str, T]]:
        """Names and entries, in order of registration."""
        self._load()
        return iter(list(self._entries.items()))


def first_line(function: Callable[..., Any]) -> str:
    """First line of a docstring as plain text, without the marks of code.

    Examples
    --------
    >>> def load(name):
    ...     '''Open the set ``name``.
    ...
    ...     From a folder.
    ...     '''
    >>> first_line(load)
    'Open the set name.'
    """
    return (function.__doc__ or "").strip().split("\n")[0].replace("``", "")


Scope = Literal["all", "class"]


Z95 = 1.959963984540054  # normal quantile of a two-sided 95 % interval


@dataclass(frozen=True)
class Estimate:
    """A value with its interval: what a metric returns when it knows its own uncertainty."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Metric:
    """What the suite knows of a metric; reports and property tests are driven by it.

    Attributes
    ----------
    name : as it stands in the tables, snake_case.
    title : as it stands in figures, a few words.
    room : ``"topology"``, ``"geometry"`` or ``"evaluation"``.
    function : takes the fields of `needs`, in that order, and returns a float or an
        `Estimate`; for ``shape="pairs"`` a symmetric matrix over the classes.
    needs : names of the fields of a cell's view it uses.
    scopes : measured on the whole cell (``"all"``), on each class (``"class"``), or both.
    shape : ``"value"``, or ``"pairs"`` for one value per pair of classes.
    better : which direction is the desirable one; None where neither is.
    range : smallest and largest possible value.
    invariant : transformations of the features that leave the value as it is.
    source : the paper or book that defines it.
    unit : e.g. ``"radians"`` or ``"units of the features"``; empty for a pure number.
    note : takes the same fields and says what must stand beside the value, such as k and D of an
        angle; None where nothing must.
    version : raise it when the function gives other values than before; stored ones are then
        computed again.
    across_spaces : whether it also compares two feature spaces of the same images, such as those
        of two encoders, in place of noisy and clean features.
    """

    name: str
    title: str
    room: Literal["topology", "geometry", "evaluation"]
    function: Callable[..., Any]
    needs: tuple[str, ...]
    scopes: tuple[Scope, ...]
    shape: Literal["value", "pairs"]
    better: Literal["higher", "lower"] | None
    range: tuple[float, float]
    invariant: frozenset[str]
    source: str
    unit: str
    version: int = 1
    note: Callable[..., str] | None = None
    across_spaces: bool = False

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return first_line(self.function)

    @property
    def compares_with_clean(self) -> bool:
        """Whether the metric relates a noisy cell to its clean pair (constant at severity 0)."""
        return any(need.startswith("clean") for need in self.needs)


metrics: Registry[Metric] = Registry(
    "metric",
    "tdafeat.metrics",
    ("tdafeat.topology", "tdafeat.geometry", "tdafeat.evaluation"),
)


def metric(
    name: str,
    *,
    title: str,
    room: Literal["topology", "geometry", "evaluation"],
    needs: Sequence[str],
    scopes: Sequence[Scope] = ("all", "class"),
    shape: Literal["value", "pairs"] = "value",
    better: Literal["higher", "lower"] | None = None,
    range: tuple[float, float] = (float("-inf"), float("inf")),
    invariant: Sequence[str] = (),
    source: str,
    unit: str = "",
    version: int = 1,
    note: Callable[..., str] | None = None,
    across_spaces: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as a metric; the function itself stays as it is.

    Examples
    --------
    >>> @metric("example_mean", title="mean", room="geometry", needs=("features",), source="-")
    ... def example_mean(features):
    ...     '''Mean of all entries.'''
    ...     return float(features.mean())
    >>> metrics["example_mean"].summary
    'Mean of all entries.'
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        record = Metric(
            name=name,
            title=title,
            room=room,
            function=function,
            needs=tuple(needs),
            scopes=tuple(scopes),
            shape=shape,
            better=better,
            range=range,
            invariant=frozenset(invariant),
            source=source,
            unit=unit,
            version=version,
            note=note,
            across_spaces=across_spaces,
        )
        metrics.add(name, record)
        return function

    return register


@dataclass(frozen=True)
class Exhibit:
    """One figure or table of an analysis, and the sentence that says what to see in it.

    Attributes
    ----------
    form : ``"pictures"``, a grid of them; ``"curves"``, value against x, a panel for each
        quantity; ``"numbers"``, a table of the curves with a column for each x.
    shows : the kinds of pictures, or the quantities of curves.
    caption : what to see.
    scope : ``"all"`` for the whole cloud, with a row or line for each set or series;
        ``"class"`` for a row or line of each class.
    sets : of pictures, only these sets; all by default.
    x : what x counts.
    spec : how values are written, as Python and d3 both read it, e.g. ``".0%"``.
    """

    form: Literal["pictures", "curves", "numbers"]
    shows: tuple[str, ...]
    caption: str
    scope: Scope = "all"
    sets: tuple[str, ...] = ()
    x: str = ""
    spec: str = ".3g"


Tables = Mapping[str, Any]
"""``pictures`` and ``curves``: frames with the columns of `tdafeat.run.TABLES`, less the cell's
and ``analysis``, which the study adds."""


@dataclass(frozen=True)
class Analysis:
    """What a study does with its features beside measuring them; its own section of the report.

    Attributes
    ----------
    name : as users type it.
    title : heading of the section.
    about : what is done, in plain words; opens the section.
    function : takes the clean test and train `FeatureSet` and the (channels, height, width) of
        the images the features are, None where they are none; returns `Tables`.
    exhibits : what the section shows, in this order.
    answer : takes the tables of one feature space and returns sentences for the report's answer.
    of_images : whether the features must be images.
    version : raise it when the function gives other tables than before.
    """

    name: str
    title: str
    about: str
    function: Callable[[Any, Any, tuple[int, int, int] | None], Tables]
    exhibits: tuple[Exhibit, ...]
    answer: Callable[[Tables], Sequence[str]]
    of_images: bool = False
    version: int = 1


analyses: Registry[Analysis] = Registry("analysis", "tdafeat.analyses", ("tdafeat.analyses",))
