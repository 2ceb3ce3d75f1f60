import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tdafeat import report
from tdafeat.report import geometry
from tdafeat.report.content import build
from tdafeat.report.model import Figure, Note, Paragraph, Table
from tdafeat.report.records import Records
from tdafeat.run import TABLES, Run
from tests.report.synthetic import write_run


def titles(content):
    return [section.title for section in content.sections]


def blocks(content, kind):
    return [b for section in content.sections for b in section.blocks if isinstance(b, kind)]


def change_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_table(folder, name, change):
    path = folder / "tables" / f"{name}.parquet"
    change(pd.read_parquet(path)).to_parquet(path)


def test_sections_stand_in_the_order_of_the_argument(run, content):
    assert content.question == run.manifest["question"]
    assert content.answer == tuple(run.manifest["answer"])
    assert titles(content) == [
        "Accuracy against noise",
        "Persistence diagrams",
        "Distances between diagrams",
        "Angles between classes",
        "Spectra and geometry",
        "Maps of the features",
        "What goes with accuracy",
        "Methods",
        "Definitions",
        "All measurements",
        "Provenance",
    ]


def test_every_figure_and_table_has_a_caption_and_its_own_label(content):
    found = blocks(content, (Figure, Table))
    labels = [block.label for block in found]
    assert len(set(labels)) == len(labels)
    assert all(block.caption.endswith(".") for block in found)
    own = [block for block in found if block.space]
    assert len({block.space for block in own}) == 2
    assert all(block.caption.startswith(f"{block.space}: ") for block in own)
    sentences = [block.caption.removeprefix(f"{block.space}: ") for block in found]
    assert all(sentence.startswith("t-SNE") or sentence[0].isupper() for sentence in sentences)


def test_accuracies_are_in_percent_level_by_level(run, content):
    table = next(t for t in blocks(content, Table) if t.label == "accuracies")
    assert list(table.frame) == [
        *("feature space", "accuracy (%)", "clean", "1 (0.08)", "2 (0.18)", "3 (0.38)"),
    ]
    m = run.metrics
    cell = (m["scope"] == "all") & (m["severity"] == 2) & (m["encoder"] == "pixels")
    value = m.loc[cell & (m["metric"] == "probe_accuracy"), "value"].item()
    assert table.rows()[0][4] == f"{100 * value:.1f}"


def test_definitions_carry_arrows_from_the_manifest(content):
    table = next(t for t in blocks(content, Table) if t.label == "definitions")
    metrics = table.frame["metric"].tolist()
    assert "KoLeo ↓" in metrics
    assert "RankMe" in metrics
    assert "linear probe accuracy ↑" in metrics


def test_metrics_the_manifest_does_not_describe_come_from_the_registry(tmp_path):
    folder = write_run(tmp_path)
    change_manifest(folder, metrics={})
    change_table(folder, "metrics", lambda t: t.replace({"metric": {"rankme": "nowhere_known"}}))
    table = next(t for t in blocks(build(Run.read(folder)), Table) if t.label == "definitions")
    metrics = table.frame["metric"].tolist()
    assert "KoLeo ↓" in metrics
    assert "nowhere known" in metrics


def test_angles_state_their_dimensions_and_warn_of_forced_zeros(tmp_path):
    folder = write_run(tmp_path, dimension=16)
    forced = "10 principal directions per class in 16 dimensions: 4 angles are 0, because 2k > D"

    def state(table):
        return table.assign(params=table["params"].mask(table["encoder"] == "pixels", forced))

    change_table(folder, "pairs", state)
    section = next(s for s in build(Run.read(folder)).sections if s.title.startswith("Angles"))
    assert [b.text for b in section.blocks if isinstance(b, Note)] == [f"pixels: {forced}."]
    stated = "tiny:clip: 10 principal directions per class in 16 dimensions."
    assert stated in [b.text for b in section.blocks if isinstance(b, Paragraph)]


def test_angles_without_dimensions_promise_none(run):
    lacking = replace(run, pairs=run.pairs.assign(params=""))
    paragraph = next(geometry.angles(lacking, Records(lacking)))
    assert paragraph.text.endswith("Here k is kept at leading directions.")


def test_what_must_stand_beside_a_value_does(tmp_path):
    folder = write_run(tmp_path)

    def noted(table):
        of = (table["metric"] == "rankme") & (table["encoder"] == "pixels")
        levels = "fitted to ranks 1 to " + (9 + table["severity"]).clip(upper=10).astype(str)
        return table.assign(params=levels.where(of, ""))

    change_table(folder, "metrics", noted)
    texts = [b.text for b in blocks(build(Run.read(folder)), Paragraph)]
    assert "RankMe: pixels, fitted to ranks 1 to 9 or fitted to ranks 1 to 10." in texts


def test_diagrams_say_what_their_band_and_their_colour_are(tmp_path):
    few, many = write_run(tmp_path / "few"), write_run(tmp_path / "many", n_images=120)
    captions = [
        [b.caption for b in blocks(build(Run.read(folder)), Figure) if "diagrams-" in b.label]
        for folder in (few, many)
    ]
    assert "95 % confidence band (none for H1 where samples lose" in captions[0][0]
    assert "density" not in captions[0][0]
    assert "colour is the density of all" in captions[1][0]
    assert "480 bars of H0" in captions[1][0]


@pytest.mark.parametrize("missing", TABLES)
def test_any_table_may_be_missing(tmp_path, missing):
    folder = write_run(tmp_path)
    (folder / "tables" / f"{missing}.parquet").unlink(missing_ok=True)
    content = build(Run.read(folder))
    gone = {"diagrams": "Persistence", "projections": "Maps", "associations": "What goes"}
    if missing in gone:
        assert not any(title.startswith(gone[missing]) for title in titles(content))


def infinite(folder):
    far = lambda t: t.assign(value=np.where(t["metric"] == "wasserstein_h0", np.inf, t["value"]))  # noqa: E731
    change_table(folder, "metrics", far)


def unmeasured(folder):
    def blank(table):
        gone = table["metric"] == "koleo"
        status = np.where(gone, "fewer than two rows", table["status"])
        return table.assign(value=table["value"].mask(gone), status=status)

    change_table(folder, "metrics", blank)


def nothing_estimable(folder):
    blank = {"value": np.nan, "low": np.nan, "high": np.nan, "status": "fewer than 5 classes"}
    change_table(folder, "associations", lambda t: t.assign(**blank))


def only_a_manifest(folder):
    for path in (folder / "tables").iterdir():
        path.unlink()
    (folder / "manifest.json").write_text('{"schema": 1}')


def with_holes(folder):
    hole = {"cell": {"encoder": "pixels", "severity": 3}, "stage": "topology", "error": "<no> room"}
    change_manifest(folder, holes=[hole])


def alike(folder):
    change_table(folder, "spectra", lambda t: t.assign(value=0.0))


def reported(folder, *changes, **options):
    """The content of a degenerate run, both of whose forms could be written."""
    write_run(folder, **{"encoders": ("pixels",), "n_levels": 2, "n_images": 4} | options)
    for change in changes:
        change(folder)
    run = Run.read(folder)
    page, document = report.write(run)
    assert page.stat().st_size > 100_000
    assert document.read_bytes().startswith(b"%PDF")
    return build(run)


def test_one_class_without_noise_has_no_distances(tmp_path):
    content = reported(tmp_path, classes=("banded",), n_levels=1)
    assert "Distances between diagrams" not in titles(content)


def test_a_manifest_alone_is_a_report(tmp_path):
    assert not blocks(reported(tmp_path, only_a_manifest), Figure)


def test_two_classes_of_which_nothing_can_be_estimated_say_so(tmp_path):
    content = reported(tmp_path, infinite, nothing_estimable, classes=("banded", "dotted"))
    assert any("fewer than 5 classes" in note.text for note in blocks(content, Note))


def test_what_failed_and_what_has_no_value_is_tabled(tmp_path):
    content = reported(tmp_path, alike, unmeasured, with_holes)
    table = next(t for t in blocks(content, Table) if t.label == "unmeasured")
    assert "fewer than two rows" in table.rows()[0]
    assert "What failed" in titles(content)


def test_images_are_shown_unless_they_are_left_out(tmp_path):
    from tdafeat.analyses.picture import picture

    folder = write_run(tmp_path)
    png = picture(np.linspace(0, 1, 64), (1, 8, 8))
    rows = pd.read_parquet(folder / "tables" / "spectra.parquet").query("rank == 1")
    rows = rows[rows["severity"] == 0].assign(analysis="", set="banded", caption="", png=png)
    kinds = [rows.assign(kind=kind) for kind in ("levels", "neighbours")]
    pd.concat(kinds).to_parquet(folder / "tables" / "pictures.parquet")

    def labels(thumbnails):
        return {b.label for b in blocks(build(Run.read(folder), thumbnails), Figure)}

    own = {"levels", "neighbours-pixels", "neighbours-tiny:clip"}
    assert labels(True) - labels(False) == own


def test_provenance_says_what_each_artefact_took(content):
    table = next(t for t in blocks(content, Table) if t.label == "provenance")
    told = dict(table.rows())
    assert told["seconds: features"] == "1.2 s"
    assert told["seconds: topology"] == "3.4 s; 2 of 8 artefacts made, 1.7 s each"
    assert told["seconds: probe"] == "0.1 s; 2 artefacts, all of them stored before"
    assert "artefacts" not in told
