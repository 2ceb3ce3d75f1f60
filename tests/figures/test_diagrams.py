"""Figures of diagrams: what they draw is what the bars say."""

import re
from io import StringIO

import numpy as np
import pandas as pd
import pytest
import vl_convert

from tdafeat import figures

CELL = {"encoder": "e", "layer": "", "noise": "gaussian", "seed": 0, "scope": "all"}
BARS = {0: [[0, 1], [0, 2], [0, np.inf]], 1: [[1, 3], [1.5, 2]]}


def table(levels, encoder="e"):
    rows = [
        {**CELL, "encoder": encoder, "severity": severity, "parameter": severity / 10}
        | {"degree": degree, "birth": birth, "death": death}
        for severity, bars in enumerate(levels)
        for degree, of_degree in bars.items()
        for birth, death in of_degree
    ]
    return pd.DataFrame(rows)


def drawn(chart):
    tables = [pd.read_csv(StringIO(text)) for text in chart.to_dict()["datasets"].values()]
    return max(tables, key=lambda t: t.shape[1] * len(t))


FIGURES = (figures.diagrams, figures.barcodes, figures.betti_curves, figures.landscapes)
DRAW = (*FIGURES, figures.persistence_images)


@pytest.mark.parametrize("draw", DRAW)
def test_no_bars_are_an_error_in_one_sentence(draw):
    with pytest.raises(ValueError, match="diagrams.* no rows to draw"):
        draw(table([BARS]).iloc[:0])
    with pytest.raises(ValueError, match="column 'death'"):
        draw(table([BARS]).drop(columns="death"))


@pytest.mark.parametrize("draw", DRAW)
def test_names_are_text_and_numbers_finite(draw):
    bad = table([BARS, BARS], encoder="</svg><script>")
    both = pd.concat([bad, table([BARS, BARS])], ignore_index=True)
    svg = vl_convert.vegalite_to_svg(draw(both).to_dict())
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg
    assert "NaN" not in svg
    assert "Infinity" not in svg


def test_the_longest_bars_stand_in_the_order_of_birth_and_death():
    rows = drawn(figures.barcodes(table([BARS]), most=2)).sort_values("place")
    assert rows["homology"].tolist() == ["H0", "H0", "H1", "H1"]
    assert rows["birth"].tolist() == [0, 0, 1, 1.5]
    assert rows["dies"].tolist() == ["2", "never", "3", "2"]
    assert rows["end"].iloc[1] > 3  # beyond every bar that dies


def test_betti_curves_count_bars_alive():
    rows = drawn(figures.betti_curves(table([BARS])))
    h0 = rows[rows["homology"] == "H0"].set_index("t")["alive"]
    assert h0.iloc[0] == 3
    assert h0.iloc[-1] == 1  # the one that never dies
    h1 = rows[rows["homology"] == "H1"]
    assert h1.loc[h1["t"].between(1.6, 1.9), "alive"].unique().tolist() == [2]


def test_the_first_layer_of_a_landscape_is_half_the_longest_bar_high():
    rows = drawn(figures.landscapes(table([BARS])))
    highest = rows.groupby("layer")["height"].max()
    assert highest[1] == pytest.approx(1, abs=0.02)  # of [1, 3]
    assert highest[2] == pytest.approx(0.25, abs=0.02)  # of [1.5, 2], under the other's slope
    assert (highest[2:] >= 0).all()


def test_a_persistence_image_is_brightest_at_the_longest_bar():
    rows = drawn(figures.persistence_images(table([BARS])))
    assert len(rows) == 400
    brightest = rows.loc[rows["value"].idxmax()]
    assert brightest["value"] == 1
    assert brightest["birth"] <= 1.05
    assert brightest["lifetime"] < 2 < brightest["lifetime_to"] + 0.2
    column = drawn(figures.persistence_images(table([BARS]), degree=0))
    assert len(column) == 20


def test_bars_all_alike_have_an_image():
    flat = {1: [[1, 1.5], [1, 1.5]]}
    svg = vl_convert.vegalite_to_svg(figures.persistence_images(table([flat])).to_dict())
    assert "NaN" not in svg


def test_one_pixel_is_refused():
    with pytest.raises(ValueError, match="pixels must be at least 2"):
        figures.persistence_images(table([BARS]), pixels=1)


def test_a_crowd_is_drawn_as_density_that_holds_every_bar():
    rng = np.random.default_rng(0)
    births = rng.uniform(1, 2, 500)
    crowd = {1: np.column_stack([births, births + rng.gamma(1, size=500)]), 0: [[0, 1]]}
    rows = drawn(figures.diagrams(table([crowd]), most=100))
    cells, bars = rows[rows["mark"] == "density"], rows[rows["mark"] == "bar"]
    assert cells["bars"].sum() == 500
    assert cells["share"].max() == 1
    longest = np.sort(crowd[1][:, 1] - births)[-10:]
    kept = bars[bars["homology"] == "H1"]
    assert np.sort(kept["y"] - kept["birth"]) == pytest.approx(longest, abs=1e-3)
    assert (bars["homology"] == "H0").sum() == 1


def test_the_legend_filters_densities_too():
    """Of two degrees with a density each, the one that was not clicked pales to a few percent."""
    values = np.random.default_rng(0).uniform(1, 2, (50, 2)).cumsum(axis=1)
    spec = figures.diagrams(table([{0: values, 1: values}]), most=10).to_dict()
    picked = next(param for param in spec["params"] if param["name"] == "picked")
    for clicked, shares in ([], {"1"}), ([{"homology": "H1"}], {"0.03", "1"}):
        picked["value"] = clicked
        svg = vl_convert.vegalite_to_svg(spec)
        cells = set(re.findall(r'fill="(#[^"]+)" fill-opacity="([^"]+)"', svg))
        assert len({colour for colour, _ in cells}) == len(cells) == 2
        assert {share for _, share in cells} == shares


def test_a_bar_of_the_class_chosen_that_never_dies_is_a_triangle_too():
    whole = table([BARS])
    spec = figures.diagrams(whole, classes=whole.assign(scope="a class")).to_dict()
    chosen = next(param for param in spec["params"] if param["name"] == "chosen_class")
    for chosen["value"], diagrams in ("", 1), ("a class", 2):
        svg = vl_convert.vegalite_to_svg(spec)
        points = re.findall(r'<path transform="[^"]*" d="([^"]*)"', svg)[:-2]  # without the legend
        assert len(points) == 5 * diagrams
        assert sum("A" not in path for path in points) == diagrams  # a circle is made of arcs


def test_the_band_is_twice_its_radius_above_the_diagonal():
    frame = table([BARS, BARS])
    records = frame.drop_duplicates("severity")[[*CELL, "severity", "parameter"]]
    records = records.assign(points=3, band_h0=[0.25, 100.0], band_h1=[np.inf, np.nan])
    rows = drawn(figures.diagrams(frame, records))
    (band,) = rows[rows["mark"] == "band"].to_dict("records")  # others lie beyond the axes
    assert band["level"] == "clean"
    assert band["homology"] == "H0"
    assert band["y"] - band["birth"] == pytest.approx(0.5)
    assert band["y_to"] - band["birth_to"] == pytest.approx(0.5, abs=1e-4)
