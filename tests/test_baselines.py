from io import StringIO

import numpy as np
import pandas as pd
import pytest

from tdafeat import FeatureSet, Levels, Study
from tdafeat.report import beyond
from tdafeat.report.records import Records
from tdafeat.statistics.surrogates import gaussian_like, split_halves

LABELS = np.repeat(np.arange(4), 30)


def test_halves_are_disjoint_and_of_the_same_classes():
    first, second = split_halves(LABELS, 15, np.random.default_rng(0))
    assert set(first) | set(second) == set(range(120))
    np.testing.assert_array_equal(LABELS[first], LABELS[second])
    with pytest.raises(ValueError, match="must have 32 rows"):
        split_halves(LABELS, 16, np.random.default_rng(0))


def test_gaussians_keep_the_joint_moments_of_each_class():
    rng = np.random.default_rng(1)
    clean = rng.exponential(size=(60, 2)) @ [[2.0, 1], [0, 1]]
    clouds = {0: clean, 1: 0.5 * clean + rng.normal(size=(60, 2))}
    labels = np.repeat([0, 1], 30)
    drawn = gaussian_like(clouds, labels, 40_000, rng)
    for c in (0, 1):
        rows = slice(40_000 * c, 40_000 * (c + 1))
        stacked = np.hstack([drawn[0][rows], drawn[1][rows]])
        own = np.hstack([clouds[0][labels == c], clouds[1][labels == c]])
        np.testing.assert_allclose(stacked.mean(axis=0), own.mean(axis=0), atol=0.08)
        expected = np.cov(own.T)
        np.testing.assert_allclose(np.cov(stacked.T), expected, atol=0.04 * np.abs(expected).max())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Level 1 is clean features again, level 2 far away; each class is a ring."""
    rng = np.random.default_rng(2)
    angle = rng.uniform(0, 2 * np.pi, 120)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) + 20 * LABELS[:, None]
    ring = ring + 0.01 * rng.normal(size=ring.shape)
    ids = tuple(f"i{k}" for k in range(120))
    classes = tuple("abcd")
    clean, same, far = (
        FeatureSet(cloud, ids, LABELS, classes)
        for cloud in (ring, ring + 1e-6, ring + 3 * rng.normal(size=ring.shape))
    )
    place = tmp_path_factory.mktemp("baselines")
    study = Study("b", "?", features={"x": Levels(clean, {1: same, 2: far})}, projections=())
    return study.run(place / "run", store=place / "store", quiet=True)


def row(run, metric, baseline, severity):
    table = run.baselines
    chosen = table["metric"].eq(metric) & table["baseline"].eq(baseline)
    (index,) = table.index[chosen & table["severity"].eq(severity)]
    return table.loc[index]


def test_nothing_lies_below_and_noise_above_the_split_halves(run):
    assert run.manifest["holes"] == []
    nothing, noise = (row(run, "wasserstein_h0", "split halves", s) for s in (1, 2))
    assert nothing["observed"] < nothing["low"]
    assert noise["observed"] > noise["high"]
    assert nothing["quantity"] == "value"
    assert row(run, "koleo", "split halves", 2)["quantity"] == "change"
    assert nothing["n"] == 28  # half of each class is left to be fitted on, half of the rest drawn
    assert nothing["draws"] == 2


def test_a_gaussian_has_the_second_moments(run):
    spread = row(run, "total_variance", "gaussian", 0)
    assert spread["value"] == pytest.approx(spread["observed"], rel=0.1)


def test_baselines_can_be_left_out_and_not_be_negative(tmp_path):
    cloud = FeatureSet(np.eye(8), tuple("abcdefgh"), [0] * 4 + [1] * 4, ("a", "b"))
    study = Study("n", "?", features={"x": Levels(cloud, {})}, projections=(), baselines=0)
    run = study.run(tmp_path / "run", store=tmp_path / "store", quiet=True)
    assert run.baselines.empty
    with pytest.raises(ValueError, match="baselines must be"):
        Study("n", "?", features={"x": Levels(cloud, {})}, baselines=-1).run(tmp_path / "r")


def test_the_report_draws_distances_beside_those_of_split_halves(run):
    records = Records(run)
    (block,) = beyond.distances(run, records)
    (text, *_) = block.chart.to_dict()["datasets"].values()
    drawn = pd.read_csv(StringIO(text))
    halves = row(run, "wasserstein_h0", "split halves", 2)
    own = drawn[drawn["title"].eq(records["wasserstein_h0"].arrow) & drawn["severity"].eq(2)]
    assert own["nothing"].item() == pytest.approx(halves["value"], rel=1e-3)
    assert own["value"].item() == pytest.approx(halves["observed"], rel=1e-3)
