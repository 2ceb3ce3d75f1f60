from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose

from tdafeat.geometry import sampled_metrics, sampled_similarity, streamed
from tdafeat.record import Estimate, metrics


def cloud(n=500, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) + 1


def exact(name, points):
    value = metrics[name].function(points)
    return value.value if isinstance(value, Estimate) else value


def test_asking_all_rows_gives_the_metrics_themselves():
    points = cloud()
    for name, estimate in sampled_metrics(points, n_queries=500, chunk=77).items():
        assert_allclose(estimate.value, exact(name, points), rtol=1e-12, err_msg=name)
        assert estimate.low == estimate.value == estimate.high


def test_chunks_smaller_than_the_neighbourhood():
    points = cloud(100)
    few, many = (sampled_metrics(points, 30, chunk=chunk) for chunk in (7, 1000))
    for name in few:
        assert_allclose(few[name].value, many[name].value, rtol=1e-12, err_msg=name)


def test_lists_frames_and_tensors_are_taken():
    points = cloud(60).astype(np.float32)
    expected = sampled_metrics(points, 30)
    for same in (points.tolist(), pd.DataFrame(points), torch.from_numpy(points)):
        assert sampled_metrics(same, 30) == expected


def test_many_questions_meet_fewer_rows_at_a_time(monkeypatch):
    points = cloud(100)
    before = sampled_metrics(points, 30), sampled_similarity(points, points[:, :3], 30)
    monkeypatch.setattr(streamed, "MOST_PRODUCTS", 300)  # ten rows at a time
    assert streamed.at_once(1000, 30) == 10
    after = sampled_metrics(points, 30), sampled_similarity(points, points[:, :3], 30)
    for few, many in zip(after, before, strict=True):
        for name in few:
            assert_allclose(few[name].value, many[name].value, rtol=1e-12, err_msg=name)


def test_many_questions_take_several_passes(monkeypatch):
    points = cloud(100)
    before = sampled_metrics(points, 90), sampled_similarity(points, points[:, :3], 90)
    monkeypatch.setattr(streamed, "MOST_ASKED", 40)  # the last of three asks 10
    after = sampled_metrics(points, 90), sampled_similarity(points, points[:, :3], 90)
    for few, many in zip(after, before, strict=True):
        for name in few:
            assert_allclose(astuple(few[name]), astuple(many[name]), rtol=1e-12, err_msg=name)


def test_far_from_the_origin_and_float32():
    points = cloud().astype(np.float32)
    near, far = (sampled_metrics(points + shift, 100) for shift in (0, 64))
    for name in ("nearest_neighbour_distance", "two_nn", "levina_bickel"):
        assert_allclose(far[name].value, near[name].value, rtol=1e-3)


def test_intervals_cover_the_value_of_the_whole_cloud():
    points = cloud(1500)
    truth = {name: exact(name, points) for name in sampled_metrics(points, 21)}
    del truth["hubness"]  # needs more rows, below
    drawn = [sampled_metrics(points, 150, random_state=seed) for seed in range(40)]
    for name, value in truth.items():
        slack = 1e-12 * abs(value)
        covered = sum(d[name].low - slack <= value <= d[name].high + slack for d in drawn)
        assert covered >= 33, name  # of 40; an honest 95 % interval falls below in 1 of 1,000


def test_hubness_from_some_rows():
    points = cloud(1500, 30)  # skewness 3: some rows are neighbours of many
    truth = exact("hubness", points)
    drawn = [sampled_metrics(points, 300, random_state=seed)["hubness"] for seed in range(25)]
    assert (
        sum(d.low <= truth <= d.high for d in drawn) >= 20
    )  # of 25; an honest 95 % interval falls below in 1 of 1,000
    values = [d.value for d in drawn]
    assert abs(np.mean(values) - truth) < 4 * np.std(values) / 5  # factorial moments: no bias


def test_hubness_is_not_told_by_too_few():
    assert np.isnan(sampled_metrics(cloud(1500, 30), 30)["hubness"].value)


def test_two_nn_is_not_told_by_fewer_than_twenty():
    few, enough = (sampled_metrics(cloud(60), n)["two_nn"] for n in (19, 20))
    assert np.isnan([few.value, few.low, few.high]).all()
    assert enough.low < enough.value < enough.high


def test_duplicates_are_finite():
    points = np.repeat(cloud(15), 4, axis=0)
    found = sampled_metrics(points, 30)
    assert found["koleo"].value == pytest.approx(-np.log(1e-8))
    assert found["nearest_neighbour_distance"].value == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(20),), "more than 20 rows; got 20"),
        ((np.eye(30), 5, 0, -1), "chunk must be at least 1"),
        ((np.eye(30), 1), "n_queries must be at least 2"),
        ((np.where(np.arange(30)[:, None] == 25, 0.0, cloud(30)), 2, 0, 8), "row 1 is all zeros"),
        ((np.where(np.arange(30)[:, None] == 25, np.inf, cloud(30)), 2, 0, 8), "must be finite"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        sampled_metrics(*arguments)
