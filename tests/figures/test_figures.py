"""Every figure: built from a run's tables, compiled by Vega-Lite, drawn with the marks it owes."""

import doctest
import inspect
import json
import re
from io import StringIO

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert

from tdafeat import figures
from tdafeat.analyses.picture import picture
from tdafeat.figures.frames import embed, with_names
from tdafeat.run import Run
from tests.report.synthetic import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run.read(write_run(tmp_path_factory.mktemp("run")))


def one(table):
    return table[table["encoder"] == "pixels"]


def grid(n_sets, n_ranks, captions="{rank}", size=8):
    """Rows of the table of pictures, of size x size pixels."""
    png = picture(np.linspace(0, 1, size * size), (1, size, size))
    return pd.DataFrame(
        [
            {"set": f"set {k}", "rank": r, "caption": captions.format(set=k, rank=r), "png": png}
            for k in range(n_sets)
            for r in range(1, n_ranks + 1)
        ]
    )


def lines():
    parts = [
        pd.DataFrame({"scope": scope, "quantity": quantity, "series": series, "x": [0.0, 1, 2, 4]})
        for scope in ("all", "a", "b")
        for quantity in ("error", "share")
        for series in ("train", "test")
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(value=1 / (1 + table["x"]))


CHARTS = {
    "accuracy": lambda run: figures.accuracy(run.metrics),
    "accuracy by class": lambda run: figures.accuracy(run.metrics, by_class=True),
    "curves": lambda run: figures.curves(run.metrics),
    "distances": lambda run: figures.distances(run.metrics),
    "diagrams": lambda run: figures.diagrams(one(run.diagrams)),
    "diagrams of two spaces": lambda run: figures.diagrams(run.diagrams),
    "diagrams with bands": lambda run: figures.diagrams(one(run.diagrams), run.records),
    "crowded diagrams": lambda run: figures.diagrams(one(run.diagrams), most=5),
    "barcodes": lambda run: figures.barcodes(run.diagrams),
    "Betti curves": lambda run: figures.betti_curves(run.diagrams),
    "landscapes": lambda run: figures.landscapes(run.diagrams),
    "persistence images": lambda run: figures.persistence_images(run.diagrams),
    "class matrix": lambda run: figures.class_matrix(one(run.pairs), "class_angle_mean"),
    "confusion": lambda run: figures.confusion(one(run.predictions)),
    "reliability": lambda run: figures.reliability(run.predictions),
    "spectra": lambda run: figures.spectra(run.spectra),
    "projection": lambda run: figures.projection(one(run.projections)),
    "forest": lambda run: figures.forest(run.associations),
    "scatter": lambda run: figures.scatter(run.metrics, "koleo"),
    "pictures": lambda run: figures.pictures(grid(3, 4)),
    "quantities": lambda run: figures.quantities(lines()),
    "quantities by class": lambda run: figures.quantities(lines(), "T", ".0%", by_class=True),
    "training": lambda run: figures.training(
        pd.DataFrame({"variant": "a", "step": [0, 1], "quantity": "loss", "value": [2.0, 1.0]})
    ),
}


PUBLIC = sorted(set(figures.__all__) - {"save"})


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_of_each_figure_draws(name):
    about = getattr(figures, name).__doc__
    names = {}
    for example in doctest.DocTestParser().get_examples(about):
        exec(example.source, names)
    svg = vl_convert.vegalite_to_svg(names["chart"].to_dict())
    assert svg.count("<path") + svg.count("<image") > 1
    assert "undefined" not in svg
    assert "NaN" not in svg


@pytest.mark.parametrize("name", PUBLIC)
def test_each_figure_says_what_its_frame_must_have(name):
    draw = getattr(figures, name)
    given = [p.name for p in inspect.signature(draw).parameters.values()]
    needed = {"class_matrix": ["koleo"], "space_matrix": ["koleo"], "scatter": ["koleo"]}
    other = needed.get(name, [])
    with pytest.raises(ValueError, match=f"{given[0]} must have a column '"):
        draw(pd.DataFrame({"nothing": [1]}), *other)
    with pytest.raises(TypeError, match=f"{given[0]} must be a pandas DataFrame; got dict"):
        draw({}, *other)
    about = draw.__doc__
    assert all(f"    {name} : " in about or f", {name} : " in about for name in given[:1])
    assert "ValueError where a column is missing" in about


@pytest.mark.parametrize("name", CHARTS)
def test_draws_and_is_the_same_every_time(run, name):
    spec = CHARTS[name](run).to_dict()
    assert json.dumps(spec) == json.dumps(CHARTS[name](run).to_dict())
    svg = vl_convert.vegalite_to_svg(spec)
    assert svg.count("<path") + svg.count("<image") > 10
    assert "undefined" not in svg
    assert "NaN" not in svg


def rows_of(chart):
    """Rows of the largest data set of a chart, and of those with the same columns."""
    tables = [pd.read_csv(StringIO(text)) for text in chart.to_dict()["datasets"].values()]
    columns = max(tables, key=lambda t: ("scope" in t, len(t))).columns  # before trees
    return pd.concat([t for t in tables if t.columns.equals(columns)], ignore_index=True)


def squares_of(chart):
    """Value (as it is shown) and level of each square of a heatmap, by its row and column."""
    spec = chart if isinstance(chart, dict) else chart.to_dict()
    spec = spec | {"config": spec["config"] | {"aria": True}}  # squares then say what they are
    told = re.findall(
        r'aria-label="((?:scope_b|predicted class): [^"]*)"', vl_convert.vegalite_to_svg(spec)
    )
    found = {}
    for text in told:
        (_, column), (_, row), (_, value), *tips = (part.split(": ") for part in text.split("; "))
        found.setdefault((row, column), {})[dict(tips)["severity (parameter)"]] = value
    return found


def test_embedding_keeps_names_as_they_are_and_has_no_row_limit():
    frame = pd.DataFrame(
        {"name": ['a,"b"', "<script>", "1"] * 4000, "value": [1 / 3, np.nan, 2] * 4000}
    )
    chart = alt.Chart(embed(frame)).mark_point().encode(x="value:Q", color="name:N")
    (text,) = chart.to_dict()["datasets"].values()
    assert text.splitlines()[1:4] == ['"a,""b""",0.33333', "<script>,NaN", "1,2"]
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    assert svg.count('aria-roledescription="point"') == 8000  # not a number: not drawn at zero


def test_several_layers_of_an_encoder_are_several_spaces():
    cells = pd.DataFrame(
        {
            "encoder": ["a", "a", "b"],
            "layer": ["cls", "avg", "cls"],
            "severity": [0, 1, 2],
            "parameter": [0.0, 0.5, 60.0],
        }
    )
    named = with_names(cells)
    assert named["space"].tolist() == ["a cls", "a avg", "b"]
    assert named["level"].tolist() == ["clean", "1 (0.5)", "2 (60)"]


def test_essential_bars_stand_at_the_top_and_are_said_to_never_die(run):
    rows = rows_of(figures.diagrams(one(run.diagrams)))
    essential = rows[rows["dies"] == "never"]
    assert len(essential) == 4
    finite = rows[rows["dies"] != "never"]
    assert (essential["y"] > finite["y"].max()).all()


def test_diagrams_without_finite_bars_draw(run):
    bars = run.diagrams[np.isinf(run.diagrams["death"])]
    assert "<svg" in vl_convert.vegalite_to_svg(figures.diagrams(bars).to_dict())


def test_angles_are_drawn_in_degrees_and_both_ways(run):
    pairs = one(run.pairs)
    pairs = pairs[pairs["severity"] == 0]
    chart = figures.class_matrix(pairs, "class_angle_mean", unit="radians")
    rows = rows_of(chart)
    assert len(rows) == len(pairs)
    assert rows["0"].max() == pytest.approx(np.degrees(pairs["value"].max()), rel=1e-4)
    squares = squares_of(chart)
    assert len(squares) == 2 * len(pairs)
    first, second = pairs.iloc[0][["scope", "scope_b"]]
    degrees = f"{np.degrees(pairs['value'].iloc[0]):.3g}"
    assert squares[first, second] == squares[second, first] == {"clean": degrees}


def test_the_second_panel_is_the_last_level_or_the_one_that_is_chosen(run):
    pairs = one(run.pairs)
    spec = figures.class_matrix(pairs, "class_angle_mean").to_dict()
    names = ["clean", "1 (0.08)", "2 (0.18)", "3 (0.38)"]
    (menu,) = [param for param in spec["params"] if param["name"] == "shown_level"]
    known = pairs.set_index(["scope", "scope_b", "severity"])["value"]
    for choice, shown in (("", 3), ("clean", 0), (names[1], 1), ("no level", 3)):
        menu["value"] = choice
        expected = {names[k]: f"{known['banded', 'grid', k]:.3g}" for k in {0, shown}}
        assert squares_of(spec)["banded", "grid"] == expected


def test_classes_that_are_alike_stand_together():
    names = list("abcdef")
    group = {"a": 0, "c": 0, "e": 0, "b": 1, "d": 1, "f": 1}
    pairs = pd.DataFrame(
        [
            {"scope": p, "scope_b": q, "value": 0.1 if group[p] == group[q] else 1.0}
            for i, p in enumerate(names)
            for q in names[i + 1 :]
        ]
    ).assign(metric="m", encoder="e", layer="", severity=0, parameter=0.0)
    _, heat = figures.class_matrix(pairs, "m").to_dict()["vconcat"]
    order = heat["encoding"]["x"]["scale"]["domain"]
    assert sorted(order) == names
    assert {group[name] for name in order[:3]} in ({0}, {1})


def test_infinite_distances_leave_a_gap_not_an_error(run):
    pairs = one(run.pairs).assign(value=np.inf)
    svg = vl_convert.vegalite_to_svg(figures.class_matrix(pairs, "class_angle_mean").to_dict())
    assert "Infinity" not in svg


def test_rows_of_a_confusion_sum_to_one(run):
    said = one(run.predictions)
    rows = rows_of(figures.confusion(said))
    images = said.pivot_table(index="label", columns="severity", values="image", aggfunc="count")
    assert (rows.groupby("scope")[["0", "1", "2", "3"]].sum().to_numpy() == images).all(axis=None)
    squares = squares_of(figures.confusion(said.query("severity == 3")))
    right = said.query("severity == 3 and label == 'grid'")["prediction"].value_counts("grid")
    assert {row: squares["grid", row]["3 (0.38)"] for row in right.index} == {
        row: f"{share:.0%}" for row, share in right.items()
    }


def test_a_predictor_that_predicted_nothing_is_refused(run):
    with pytest.raises(ValueError, match="predictions of oracle holds no rows to draw"):
        figures.confusion(run.predictions, "oracle")


def test_reliability_counts_every_prediction_and_how_many_are_right(run):
    said = one(run.predictions).query("severity == 1")
    tables = figures.reliability(said, n_bins=4).to_dict()["datasets"].values()
    rows = next(t for t in (pd.read_csv(StringIO(text)) for text in tables) if "n" in t)
    assert rows["n"].sum() == len(said)
    right = (said["label"] == said["prediction"]).sum()
    assert (rows["n"] * rows["accuracy"]).sum() == pytest.approx(right, abs=0.01)


def test_reliability_of_a_predictor_without_probabilities_is_refused(run):
    with pytest.raises(ValueError, match="predictions of knn with a confidence holds no rows"):
        figures.reliability(run.predictions, "knn")
    with pytest.raises(ValueError, match="predictions of probe with a confidence holds no rows"):
        figures.reliability(run.predictions.assign(confidence=np.nan))


def test_seeds_are_averaged(run):
    other = run.metrics.assign(seed=1, value=0.0)
    both = rows_of(figures.curves(pd.concat([run.metrics, other]), ["koleo"]))
    single = rows_of(figures.curves(run.metrics, ["koleo"]))
    assert both["value"].to_numpy() == pytest.approx(single["value"].to_numpy() / 2, rel=1e-4)


def test_spectrum_shares_sum_to_one_and_rounding_is_left_out(run):
    rows = rows_of(figures.spectra(one(run.spectra)))
    assert rows.groupby("level")["share"].sum().to_numpy() == pytest.approx(1, abs=1e-3)
    flat = run.spectra.assign(value=run.spectra["value"].where(run.spectra["rank"] < 4, 1e-12))
    assert rows_of(figures.spectra(flat))["rank"].max() == 3


def test_forty_seven_classes_keep_their_marks_apart():
    from tdafeat.figures.encodings import class_marks

    colour, shape = (mark.to_dict() for mark in class_marks([str(k) for k in range(47)], "scope"))
    marks = set(zip(colour["scale"]["range"], shape["scale"]["range"], strict=True))
    assert len(marks) == 47


def cells_of(chart):
    (cells,) = chart.to_dict()["datasets"].values()
    return pd.DataFrame(cells)


def test_captions_shared_by_all_rows_stand_once():
    shared, own = cells_of(figures.pictures(grid(3, 4))), grid(3, 4, "{set}/{rank}")
    assert shared["caption"].tolist() == ["1", "2", "3", "4"] + [""] * 8
    assert cells_of(figures.pictures(own))["caption"].tolist() == own["caption"].tolist()
    single = cells_of(figures.pictures(grid(1, 3)))
    assert single["caption"].tolist() == ["1", "2", "3"]


def test_headings_of_narrow_pictures_do_not_run_into_each_other():
    named = grid(2, 4, size=32).assign(caption=["clean", "1 (0.01)", "2 (0.02)", "3 (0.04)"] * 2)
    step = figures.pictures(named).to_dict()["width"]["step"]
    assert step >= 5 * len("1 (0.01)")  # letters are about half as wide as high, and 10 high


def test_long_rows_go_on_below_as_evenly_as_can_be():
    cells = cells_of(figures.pictures(grid(2, 25, "{set}/{rank}")))
    assert cells.groupby("row").size().tolist() == [9, 9, 7] * 2
    assert cells["description"].iloc[9] == "set 0, 0/10"


@pytest.mark.parametrize(("size", "side"), [(8, 56), (28, 56), (12, 48), (100, 56), (1, 56)])
def test_pixels_of_a_picture_are_equally_wide(size, side):
    images, _ = figures.pictures(grid(1, 2, size=size)).to_dict()["layer"]
    assert (images["mark"]["width"], images["mark"]["height"]) == (side, side)


def test_hits_and_misses_have_frames_that_differ_without_colour():
    frame = grid(1, 3).assign(mark=["", "hit", "miss"])
    chart = figures.pictures(frame)
    assert cells_of(chart)["description"].tolist() == [
        "set 0, 1",
        "set 0, 2, hit",
        "set 0, 3, miss",
    ]
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    assert svg.count('stroke-dasharray="4,3"') == 1


def test_pictures_stand_in_the_figure_itself():
    svg = vl_convert.vegalite_to_svg(figures.pictures(grid(2, 3)).to_dict())
    assert svg.count("<image") == 6
    assert svg.count('xlink:href="data:image/png;base64,') + svg.count(' href="data:image') >= 6


def test_names_of_sets_cannot_leave_their_string():
    frame = grid(1, 1).assign(set='"] + alert(1) + ["\\')
    svg = vl_convert.vegalite_to_svg(figures.pictures(frame).to_dict())
    assert "alert(1)" in svg
    assert "&quot;] +" in svg or '"] +' in svg


def test_counts_below_one_have_no_place_on_a_logarithmic_axis():
    chart = figures.quantities(lines())
    assert set(rows_of(chart)["x"]) == {1, 2, 4}
    assert set(rows_of(chart)["series"]) == {"train", "test"}
    assert set(rows_of(figures.quantities(lines(), by_class=True))["scope"]) == {"all", "a", "b"}


def test_a_band_reaches_over_the_seeds_of_accuracy(run):
    more = run.metrics.assign(seed=1, value=run.metrics["value"] - 0.1)
    drawn = rows_of(figures.accuracy(pd.concat([run.metrics, more])))
    kept = drawn["least"].notna()
    np.testing.assert_allclose((drawn["most"] - drawn["least"])[kept], 0.1, atol=1e-4)
    marks = [
        json.dumps(figures.accuracy(m).to_dict())
        for m in (run.metrics, pd.concat([run.metrics, more]))
    ]
    assert [text.count('"type": "area"') for text in marks] == [0, 1]


def test_nothing_is_a_dashed_line_beside_a_metric(run):
    rows = run.metrics[run.metrics["metric"] == "koleo"]
    drawn = rows_of(figures.curves(rows.assign(nothing=rows["value"] + 1)))
    np.testing.assert_allclose(drawn["nothing"], drawn["value"] + 1, atol=1e-4)
