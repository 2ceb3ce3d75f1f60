import pytest

from tdafeat.errors import UnknownName
from tdafeat.record import Registry, metrics


def test_the_nearest_name_is_suggested():
    registry = Registry("noise", "tdafeat.none")
    registry.add("gaussian", 1)
    with pytest.raises(UnknownName, match="did you mean 'gaussian'"):
        registry["gausian"]
    with pytest.raises(UnknownName, match=r"unknown noise 'zzz'\. Known: gaussian"):
        registry["zzz"]


def test_a_name_is_taken_once():
    registry = Registry("noise", "tdafeat.none")
    registry.add("a", 1)
    with pytest.raises(ValueError, match="twice"):
        registry.add("a", object())


def test_entry_points_of_other_packages_are_found(monkeypatch):
    class Point:
        name = "theirs"

        @staticmethod
        def load():
            return 7

    monkeypatch.setattr("tdafeat.record.entry_points", lambda group: [Point] * (group == "x.y"))
    assert Registry("thing", "x.y")["theirs"] == 7


def test_every_metric_is_documented():
    assert len(metrics) == len(list(metrics)) > 30
    for name, metric in metrics.items():
        assert metric.name == name
        assert metric.summary, name
        assert metric.source, name
        assert metric.range[0] < metric.range[1], name
        assert metric.needs, name
