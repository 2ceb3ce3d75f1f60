"""What a value beside its baseline is called."""

import pandas as pd

from tdafeat.report.beyond import _no_more


class Named:
    def __init__(self, better):
        self.better = better


RECORDS = {"bottleneck_h1": Named("lower"), "linear_cka": Named("higher"), "rankme": Named(None)}


def no_more(baseline, quantity, metric, observed):
    row = {"baseline": baseline, "quantity": quantity, "metric": metric, "observed": observed}
    return bool(_no_more(pd.DataFrame([row | {"low": 1.0, "high": 2.0}]), RECORDS).iloc[0])


def test_a_shorter_distance_more_likeness_and_a_smaller_change_are_no_more_than_nothing():
    assert [no_more("split halves", "value", "bottleneck_h1", x) for x in (0, 1.5, 3)] == [1, 1, 0]
    assert [no_more("split halves", "value", "linear_cka", x) for x in (0, 1.5, 3)] == [0, 1, 1]
    assert [no_more("split halves", "change", "linear_cka", x) for x in (0, 1.5, 3)] == [1, 1, 0]


def test_a_gaussian_has_two_sides():
    assert [no_more("gaussian", "value", "rankme", x) for x in (0, 1.5, 3)] == [0, 1, 0]
