"""What a run tells while it goes: sentences, or JSON objects one a line, on standard error."""

from __future__ import annotations

import contextlib
import datetime
import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Literal, get_args

Form = Literal["text", "json", "quiet"]


class Log:
    """Tells events.

    Parameters
    ----------
    form : ``"text"`` for people, ``"json"`` for programs, ``"quiet"`` for nobody.

    Examples
    --------
    >>> Log("quiet")("progress", "cells 3 of 8", done=3, total=8)
    """

    def __init__(self, form: Form = "text") -> None:
        if form not in get_args(Form):
            raise ValueError(f"log must be among {', '.join(get_args(Form))}; got {form!r}")
        self.form = form

    @property
    def has_bar(self) -> bool:
        """Whether a progress bar is seen by somebody."""
        return self.form == "text" and sys.stderr.isatty()

    def __call__(self, event: str, text: str, **fields: Any) -> None:
        """Tell an event: `text` in words, or its name, the time and the fields."""
        if self.form == "json":
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
            text = json.dumps({"time": now, "event": event, **fields}, default=str)
        if self.has_bar:
            from tqdm import tqdm

            tqdm.write(text, file=sys.stderr)
        elif self.form != "quiet":
            print(text, file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def warnings(self) -> Iterator[None]:
        """Tell Python's warnings as events, where every line is to be JSON."""
        if self.form != "json":
            yield
            return

        def tell(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
            self("warning", "", message=str(message), category=category.__name__)

        before = warnings.showwarning
        warnings.showwarning = tell
        try:
            yield
        finally:
            warnings.showwarning = before
