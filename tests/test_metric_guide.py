"""The guide to the metrics is made of the records, and so holds every one of them."""

import runpy
from pathlib import Path

from tdafeat.record import metrics

guide = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "metric_guide.py"))["guide"]


def test_every_metric_has_an_entry_with_its_title_range_and_source():
    page = guide()
    for name, metric in metrics.items():
        entry = next(part for part in page.split("\n### ") if f"`{name}`\n" in part)
        assert entry.lower().startswith(metric.title.lower())
        assert metric.source in entry
        assert metric.summary
        assert metric.summary in entry


def test_examples_and_parameters_stay_in_the_reference():
    assert ">>>" not in guide()
    assert "----" not in guide()
