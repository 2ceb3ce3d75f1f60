"""How the figures of a report move together, and how each answers alone.

Two parameters go by the same names in every figure that can answer them:

``chosen_class``
    the class to single out, ``""`` for none. Marks carry their class in the column ``scope``,
    those of a pair of classes in ``scope`` and ``scope_b``.
``shown_level``
    the name of the level to show, ``""`` for all of them. Marks carry it in the column ``level``.

In a notebook each is a menu below its chart, as `class_menu` and `level_menu` make it. A page of
many figures leaves the menus out and sets the parameters of all its charts at once, by name
(``report/templates/page.js``). Without a choice everything is shown: so it stands in a document.

A legend answers to clicks through the selection ``picked``, of one chart alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from tdafeat.figures.theme import INK

CLASS = "chosen_class"
LEVEL = "shown_level"
UNSEEN = 0.001  # opacity of marks for the pointer alone; those of none would not answer it
PANEL = "panel"  # name of the view of one level, which a page enlarges when it stands alone

IS_CHOSEN = f"(datum.scope == {CLASS} || datum.scope_b == {CLASS})"
NOT_OTHER = f"({CLASS} == '' || {IS_CHOSEN})"  # chosen, or nothing is
IS_SHOWN = f"({LEVEL} == '' || datum.level == {LEVEL})"


def class_menu(names: Sequence[str]) -> alt.Parameter:
    """The parameter ``chosen_class``, a menu of these classes in a notebook."""
    return _menu(CLASS, names, "class")


def level_menu(names: Sequence[str], title: str) -> alt.Parameter:
    """The parameter ``shown_level``, a menu of these levels in a notebook."""
    return _menu(LEVEL, names, title)


def _menu(name: str, options: Sequence[str], title: str) -> alt.Parameter:
    values = list(dict.fromkeys(options))
    if len(values) < 2:  # nothing to choose; the parameter is there for the chart's expressions
        return alt.param(name=name, value="")
    menu = alt.binding_select(options=["", *values], labels=["all", *values], name=f"{title}: ")
    return alt.param(name=name, value="", bind=menu)


def only_shown(panels: alt.FacetChart) -> alt.FacetChart:
    """Panels by level, of which the one that is shown remains."""
    return panels.properties(transform=[alt.FilterTransform(IS_SHOWN)])


def level_rule(x: alt.X) -> alt.Chart:
    """A vertical line at the level that is shown, on the axis that `severity_axis` gives."""
    one = alt.Chart().transform_filter(f"datum.level == {LEVEL}")
    one = one.transform_aggregate(severity="min(severity)")
    return one.mark_rule(color=INK, opacity=0.15, strokeWidth=7).encode(x=x)


def legend_filter(field: str) -> alt.Parameter:
    """The selection ``picked``: what was clicked in the legend of a field, all of it at first."""
    return alt.selection_point(name="picked", fields=[field], bind="legend")


def hover_points(lines: alt.Chart, tips: Sequence[alt.Tooltip], size: int) -> alt.Chart:
    """Points that nobody sees, along lines that are hard to meet with a pointer."""
    return lines.mark_point(opacity=UNSEEN, size=size).encode(tooltip=list(tips))


def opacity(full: float, faint: float, *conditions: str | alt.Parameter) -> alt.OpacityValue:
    """Full opacity where all conditions hold, expressions above or a `legend_filter`."""
    tests = [c if isinstance(c, str) else {"param": c.name} for c in conditions]
    return alt.OpacityValue(faint, condition={"test": {"and": tests}, "value": full})
