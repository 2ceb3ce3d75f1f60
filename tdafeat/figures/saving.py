"""Charts as files, offline: vector graphics, pictures and documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt

from tdafeat.figures.linking import UNSEEN

FORMATS = (".svg", ".png", ".pdf")


def save(chart: alt.TopLevelMixin, path: str | Path, scale: float = 2.0) -> Path:
    """Draw a chart into a file on white ground, with black text; needs no network.

    Parameters
    ----------
    chart : of any function of this package, or another Altair chart.
    path : its ending says the form, ``.svg``, ``.png`` or ``.pdf``.
    scale : pixels of a ``.png`` for each pixel of the chart; the others are vectors.

    Returns
    -------
    The path.

    Raises
    ------
    ValueError for another ending, or a scale that is not positive.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> losses = pd.DataFrame({"variant": "a", "step": [0, 1], "quantity": "loss", "value": [2, 1]})
    >>> figures.save(figures.training(losses), "loss.pdf")  # doctest: +SKIP
    PosixPath('loss.pdf')
    """
    import vl_convert

    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"path must end in {', '.join(FORMATS)}; got {str(path)!r}")
    if not scale > 0:
        raise ValueError(f"scale must be positive; got {scale}")
    spec = on_paper(chart.to_dict())
    if path.suffix.lower() == ".png":
        path.write_bytes(vl_convert.vegalite_to_png(spec, scale=scale))
    elif path.suffix.lower() == ".pdf":
        path.write_bytes(vl_convert.vegalite_to_pdf(spec))
    else:
        path.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")
    return path


def on_paper(spec: Mapping[str, Any], font: str | None = None) -> dict[str, Any]:
    """A specification with a white ground, no marks for a pointer, and text in a font if named."""
    config = {**spec.get("config", {}), "background": "white"}
    config |= {"font": font} if font is not None else {}
    return {**_seen(spec), "config": config}


def _seen(view: Any) -> Any:
    """What is left of a view, or of several, without the layers that nobody sees."""
    if isinstance(view, Mapping):
        return {key: _seen(part) for key, part in view.items()}
    if isinstance(view, list):
        return [_seen(part) for part in view if not _unseen(part)]
    return view


def _unseen(part: Any) -> bool:
    mark = part.get("mark") if isinstance(part, Mapping) else None
    return isinstance(mark, Mapping) and mark.get("opacity") == UNSEEN
