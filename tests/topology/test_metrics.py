import numpy as np
import pytest
from scipy.spatial.distance import pdist

import tdafeat.topology  # noqa: F401 - registers the metrics
from tdafeat.record import metrics
from tdafeat.topology import bottleneck, persistence, total_persistence, wasserstein

NAMES = {
    *("wasserstein_h0", "wasserstein_h1", "bottleneck_h0", "bottleneck_h1"),
    *("class_wasserstein_h0", "class_wasserstein_h1"),
    *("class_bottleneck_h0", "class_bottleneck_h1"),
    *("total_persistence_h0", "total_persistence_h1"),
    *("persistence_entropy_h0", "persistence_entropy_h1"),
    *("median_death_h0", "longest_bar_h1", "lifetime_q90_h0", "lifetime_q90_h1"),
    *("relative_median_death_h0", "relative_longest_bar_h1"),
}


@pytest.fixture(scope="module")
def clouds():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(20, 4)) for _ in range(3)]


def view(clouds):
    diagrams = [persistence(cloud) for cloud in clouds]
    return {
        "diagrams": diagrams[0],
        "clean_diagrams": diagrams[1],
        "class_diagrams": diagrams,
        "features": clouds[0],
    }


def measure(name, fields):
    record = metrics[name]
    return record.function(*(fields[need] for need in record.needs))


def test_the_names():
    found = {name for name, record in metrics.items() if record.room == "topology"}
    assert found == NAMES | {"topology_divergence"}  # of clouds: in test_divergence.py


@pytest.mark.parametrize("name", sorted(NAMES))
def test_records_are_complete_and_values_in_range(name, clouds):
    record = metrics[name]
    assert record.name == name
    assert record.title.startswith(name[-2:].upper())
    assert record.source
    assert record.unit
    assert record.summary
    assert record.compares_with_clean == name.startswith(("wasserstein", "bottleneck"))
    value = measure(name, view(clouds))
    if record.shape == "pairs":
        assert record.scopes == ("all",)
        assert value.shape == (3, 3)
        np.testing.assert_array_equal(value, value.T)
        np.testing.assert_array_equal(np.diag(value), 0)
    else:
        assert isinstance(value, float)
    assert np.all(np.asarray(value) >= record.range[0])
    assert np.all(np.asarray(value) <= record.range[1])


@pytest.mark.parametrize("name", sorted(NAMES))
def test_stated_invariances_hold_and_scale_is_stated_where_it_does(name, clouds):
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    moved = {
        "rotation": [cloud @ rotation for cloud in clouds],
        "translation": [cloud + 5.0 for cloud in clouds],
        "permutation": [rng.permutation(cloud) for cloud in clouds],
        "scale": [3.0 * cloud for cloud in clouds],
    }
    before = measure(name, view(clouds))
    for transformation, images in moved.items():
        same = np.allclose(measure(name, view(images)), before, rtol=1e-4)
        assert same == (transformation in metrics[name].invariant), transformation


def test_each_reads_its_own_degree(clouds):
    fields = view(clouds)
    (a0, a1), (b0, b1) = fields["diagrams"], fields["clean_diagrams"]
    assert measure("wasserstein_h0", fields) == wasserstein(a0, b0)
    assert measure("wasserstein_h1", fields) == wasserstein(a1, b1)
    assert measure("bottleneck_h1", fields) == bottleneck(a1, b1)
    assert measure("total_persistence_h1", fields) == total_persistence(a1)
    assert measure("lifetime_q90_h0", fields) == np.quantile(a0[:-1, 1], 0.9)
    assert measure("lifetime_q90_h1", fields) == np.quantile(np.ptp(a1, axis=1), 0.9)
    c1 = fields["class_diagrams"][2][1]
    assert measure("class_bottleneck_h1", fields)[0, 2] == bottleneck(a1, c1)


def test_relative_ones_are_shares_of_the_median_distance(clouds):
    fields = view(clouds)
    scale = np.median(pdist(clouds[0]))
    for name in ("median_death_h0", "longest_bar_h1"):
        relative = measure(f"relative_{name}", fields)
        assert relative == pytest.approx(measure(name, fields) / scale)
