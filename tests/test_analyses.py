"""Analyses as stages of a study: planned, stored, shown, and open to others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tdafeat import FeatureSet, Levels, Study
from tdafeat.analyses.picture import picture
from tdafeat.errors import UnknownName
from tdafeat.record import Analysis, Exhibit, analyses
from tdafeat.report.content import build

DECLARED = Study(
    name="few",
    question="How few?",
    dataset="digits",
    encoders=("pixels:8#grey",),
    noise=None,
    limit=12,
    projections=("pca",),
    analyses=("eigenimages", "centroids"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("analyses")


def go(place, name="run", **changes):
    declared = replace(DECLARED, **changes)
    return declared.run(place / name, store=place / "store", quiet=True)


@pytest.fixture(scope="module")
def run(place):
    return go(place)


def test_tables_answer_and_sections_are_there(run):
    assert run.manifest["holes"] == []
    drawn = run.pictures[run.pictures["analysis"] != ""]  # others are the study's own images
    for table in (drawn, run.curves):
        assert set(table["analysis"]) == {"eigenimages", "centroids"}
        assert set(table["encoder"]) == {"pixels:8"}
        assert set(table["scope"]) == {"all", *"0123456789"}
    assert "principal components hold 90 %" in run.manifest["answer"][0]
    assert any("centroids of K-means" in sentence for sentence in run.manifest["answer"])
    assert [part.title for part in build(run).sections[:2]] == ["Eigen-images", "Centroids"]


def test_a_second_run_computes_nothing_and_one_more_analysis_only_itself(run, place, monkeypatch):
    from tdafeat import tasks

    computed = []
    original = tasks._run
    monkeypatch.setattr(
        tasks, "_run", lambda task, *rest: (computed.append(task.stage), original(task, *rest))[1]
    )
    again = go(place, "again")
    assert computed == []
    pd.testing.assert_frame_equal(again.pictures, run.pictures)
    pd.testing.assert_frame_equal(again.curves, run.curves)
    one = replace(DECLARED, analyses=("eigenimages",))
    alone = one.run(place / "alone", store=place / "store", quiet=True)
    assert computed == []
    assert set(alone.pictures["analysis"]) == {"eigenimages", ""}
    monkeypatch.setattr(analyses, "_entries", dict(analyses.items()) | {"far": FAR})
    go(place, "more", analyses=("eigenimages", "centroids", "far"))
    assert computed == ["analysis"]


def test_tables_of_an_earlier_run_do_not_stay(place):
    go(place, "twice")
    plain = go(place, "twice", analyses=())
    assert set(plain.pictures["analysis"]) == {""}
    assert plain.manifest["analyses"] == {}


def farthest(test, train, shape):
    """Test features farthest from the mean of the train features, whatever they are."""
    distance = np.linalg.norm(test.features - train.features.mean(axis=0), axis=1)
    row = {"scope": "all", "kind": "far", "set": "", "rank": 1, "caption": f"{distance.max():.2f}"}
    spread = {"scope": "all", "quantity": "distance", "series": "test", "x": 1.0}
    return {
        "pictures": pd.DataFrame([row | {"png": picture(np.array([distance.max()]), (1, 1, 1))}]),
        "curves": pd.DataFrame([spread | {"value": distance.max()}]),
    }


FAR = Analysis(
    name="far",
    title="Far",
    about="",
    function=farthest,
    exhibits=(Exhibit("pictures", ("far",), "Far away."), Exhibit("numbers", ("distance",), "It.")),
    answer=lambda tables: [f"The farthest is {tables['curves']['value'].max():.1f} away."],
)


def own_features(n=12):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], n)
    cloud = FeatureSet(rng.normal(size=(2 * n, 3)), [f"i{k}" for k in range(2 * n)], labels, "ab")
    return {"one": Levels(cloud, {}), "two": Levels(cloud, {})}


def test_another_package_s_analysis_runs_on_any_features(tmp_path, monkeypatch):
    monkeypatch.setattr(analyses, "_entries", dict(analyses.items()) | {"far": FAR})
    run = go(tmp_path, features=own_features(), analyses=("far",))
    assert run.manifest["holes"] == []
    told = run.manifest["answer"][:2]
    assert [sentence.split(":")[0] for sentence in told] == ["one", "two"]
    section = build(run).sections[0]
    captions = ["one: Far away.", "two: Far away.", "one: It.", "two: It."]
    assert [block.caption for block in section.blocks] == captions


def test_an_analysis_that_fails_is_a_hole_and_the_rest_finishes(tmp_path, monkeypatch):
    def fails(test, train, shape):
        raise ValueError("nothing to see")

    monkeypatch.setattr(
        analyses, "_entries", dict(analyses.items()) | {"far": replace(FAR, function=fails)}
    )
    run = go(tmp_path, features=own_features(), analyses=("far",))
    assert [(h["stage"], h["error"]) for h in run.manifest["holes"]] == [
        ("analysis", "nothing to see")
    ] * 2
    assert run.manifest["answer"]
    assert len(run.metrics)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"analyses": ("eigenimage",)}, UnknownName, "did you mean 'eigenimages'"),
        ({"analyses": "eigenimages"}, TypeError, "sequence of names"),
        ({"features": own_features()}, ValueError, "features are images"),
        ({"encoders": ("pixels:8", "densenet:textures")}, ValueError, "features are images"),
        ({"encoders": ("pca:8/8#grey",)}, ValueError, "features are images"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_written(tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        go(tmp_path, **changes)
    assert not list(tmp_path.iterdir())
