import altair as alt
import pandas as pd
import pytest

from tdafeat import figures
from tdafeat.figures.linking import hover_points
from tdafeat.figures.saving import on_paper

STARTS = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}


def losses():
    return pd.DataFrame({"variant": "a", "step": [0, 1], "quantity": "loss", "value": [2.0, 1.0]})


@pytest.mark.parametrize("ending", STARTS)
def test_a_chart_is_drawn_into_a_file_of_its_ending(tmp_path, ending):
    path = figures.save(figures.training(losses()), tmp_path / f"loss{ending}")
    assert path.read_bytes().startswith(STARTS[ending])


def test_the_ground_is_white_and_the_chart_stays_as_it_was(tmp_path):
    chart = figures.training(losses())
    before = chart.to_dict()
    svg = figures.save(chart, tmp_path / "loss.SVG").read_text()
    assert 'fill="white"' in svg
    assert chart.to_dict() == before
    assert before["config"]["background"] == "transparent"


def test_scale_multiplies_the_pixels(tmp_path):
    chart = alt.Chart(pd.DataFrame({"x": [0, 1]}), width=50, height=40).mark_point().encode(x="x:Q")
    widths = []
    for scale in (1, 3):
        png = figures.save(chart, tmp_path / "a.png", scale=scale).read_bytes()
        widths.append(int.from_bytes(png[16:20], "big"))
    assert widths[1] == pytest.approx(3 * widths[0], abs=3)


@pytest.mark.parametrize(("name", "scale"), [("a.gif", 1), ("a", 1), ("a.png", 0), ("a.png", -1)])
def test_other_endings_and_scales_are_refused(tmp_path, name, scale):
    with pytest.raises(ValueError, match="path must end in" if scale == 1 else "scale"):
        figures.save(figures.training(losses()), tmp_path / name, scale=scale)


def test_what_only_a_pointer_meets_is_left_out_of_files(tmp_path):
    base = alt.Chart(pd.DataFrame({"x": [0, 1], "y": [0, 1]})).encode(x="x:Q", y="y:Q")
    lines, points = base.mark_line(), hover_points(base, [alt.Tooltip("y:Q")], 40)
    alone = figures.save(lines, tmp_path / "lines.svg").read_text()
    facets = [alt.layer(lines, points), alt.hconcat(alt.layer(lines, points))]
    for chart in facets:
        assert chart.to_dict() != on_paper(chart.to_dict())
        assert "0.001" not in figures.save(chart, tmp_path / "both.svg").read_text()
    both = figures.save(facets[0], tmp_path / "both.svg").read_text()
    assert both.count("<path") == alone.count("<path")
