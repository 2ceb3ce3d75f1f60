import itertools

import numpy as np
import pandas as pd
import pytest

from tdafeat import figures
from tdafeat.report.content import build
from tdafeat.report.model import Figure, Table
from tdafeat.run import Run
from tests.figures.test_figures import rows_of
from tests.report.synthetic import PARAMETERS, write_run

GROUP = {"a": 0, "b": 1, "c": 0, "d": 1}


def similarities(spaces=tuple(GROUP), n_levels=4):
    """As a study writes them; spaces of one group are alike."""
    rows = [
        {
            "dataset": "textures",
            "split": "test",
            "encoder": one,
            "layer": "",
            "noise": "gaussian" if n_levels > 1 else "",
            "severity": severity,
            "parameter": PARAMETERS[severity],
            "seed": 0,
            "metric": metric,
            "value": abs((GROUP[one] == GROUP[other]) - (metric == "procrustes")) - severity / 10,
            "status": "ok",
            "encoder_b": other,
            "layer_b": "",
        }
        for severity in range(n_levels)
        for one, other in itertools.combinations(spaces, 2)
        for metric in ("linear_cka", "procrustes")
    ]
    return pd.DataFrame(rows)


def section(tmp_path, table, **options):
    folder = write_run(tmp_path, **options)
    table.to_parquet(folder / "tables" / "similarities.parquet")
    found = [
        s for s in build(Run.read(folder)).sections if s.title == "Feature spaces side by side"
    ]
    return found[0].blocks if found else ()


def test_every_pair_stands_in_the_table_at_both_ends(tmp_path):
    blocks = section(tmp_path, similarities())
    table = next(b for b in blocks if isinstance(b, Table))
    # titles in a run say that clean features are compared with; here those of another encoder are
    assert list(table.frame) == [
        *("feature spaces", "level", "linear CKA, debiased ↑", "Procrustes disparity ↓"),
    ]
    assert table.frame["level"].unique().tolist() == ["clean", "3 (0.38)"]
    assert table.frame["feature spaces"].nunique() == 6
    assert table.rows()[0] == ["a / b", "clean", "0", "1"]
    assert "clean and at the strongest noise" in table.caption


def test_there_is_a_map_of_more_than_two_spaces_and_a_table_of_two(tmp_path):
    figure = next(b for b in section(tmp_path / "4", similarities()) if isinstance(b, Figure))
    assert "the higher, the more alike" in figure.caption
    few = section(tmp_path / "2", similarities(("a", "b"), n_levels=1), n_levels=1)
    assert [type(b).__name__ for b in few] == ["Paragraph", "Table"]
    assert few[1].rows() == [["a / b", "0", "1"]]
    assert section(tmp_path / "none", similarities().iloc[:0]) == ()


@pytest.mark.parametrize(("metric", "alike"), [("linear_cka", "higher"), ("procrustes", "lower")])
def test_spaces_that_are_alike_stand_together(metric, alike):
    chart = figures.space_matrix(similarities(), metric, alike=alike)
    _, heat = chart.to_dict()["hconcat"][0]["vconcat"]
    order = heat["encoding"]["x"]["scale"]["domain"]
    assert [GROUP[name] for name in order] in ([0, 0, 1, 1], [1, 1, 0, 0])
    rows = rows_of(chart)
    assert len(rows) == 6  # pairs, each once
    assert [name for name in rows if name.isdigit()] == ["0", "1", "2", "3"]  # levels
    pairs = zip(rows["scope"], rows["scope_b"], strict=True)
    assert set(pairs) == set(itertools.combinations(GROUP, 2))


def test_layers_of_one_encoder_are_spaces_of_their_own():
    table = similarities(("a", "b")).assign(encoder="e", encoder_b="e", layer="x", layer_b="y")
    rows = rows_of(figures.space_matrix(table, "linear_cka"))
    assert {*rows["scope"], *rows["scope_b"]} == {"e x", "e y"}


def test_values_that_are_missing_are_left_out(tmp_path):
    table = similarities().assign(value=np.nan)
    assert section(tmp_path, table) == ()
