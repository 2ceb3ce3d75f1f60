"""What no metric and no public function may stumble over: a value, NaN, or one clear sentence."""

import re
import warnings

import numpy as np
import pytest

from tdafeat import geometry
from tdafeat.record import metrics

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(24, 5))
TWO = np.repeat([0, 1], 12)
SPOILT = CLOUD.copy()
SPOILT[3, 2] = np.nan
READ_ONLY = CLOUD.copy()
READ_ONLY.setflags(write=False)

INPUTS = {
    "fewer samples than dimensions": (RNG.normal(size=(6, 40)), np.repeat([0, 1], 3)),
    "as many as dimensions": (CLOUD[:5], np.array([0, 0, 1, 1, 1])),
    "one sample": (CLOUD[:1], TWO[:1]),
    "two samples": (CLOUD[:2], np.array([0, 1])),
    "one class": (CLOUD, np.zeros(24, int)),
    "a class of one sample": (CLOUD, np.array([0] * 23 + [1])),
    "every class one sample": (CLOUD, np.arange(24)),
    "constant features": (np.full((24, 5), 1 / 3), TWO),
    "one constant column": (np.column_stack([CLOUD, np.ones(24)]), TWO),
    "one column": (CLOUD[:, :1], TWO),
    "duplicates": (np.repeat(CLOUD[:8], 3, axis=0), TWO),
    "two points": (np.eye(5)[TWO], TWO),
    "a zero vector": (np.vstack([np.zeros(5), CLOUD[1:]]), TWO),
    "zero vectors": (np.zeros((24, 5)), TWO),
    "integers": (np.round(CLOUD * 5).astype(int), TWO),
    "unsigned bytes": (np.abs(np.round(CLOUD * 20)).astype(np.uint8) + 1, TWO),
    "booleans": (CLOUD > 0, TWO),
    "float16": (CLOUD.astype(np.float16), TWO),
    "tiny": (CLOUD * 1e-48, TWO),
    "huge": (CLOUD * 1e48, TWO),
    "read-only": (READ_ONLY, TWO),
}
REFUSED = {
    "NaN": (SPOILT, TWO),
    "inf": (np.where(np.isnan(SPOILT), np.inf, SPOILT), TWO),
    "too tiny": (CLOUD * 1e-160, TWO),
    "too huge": (CLOUD * 1e160, TWO),
    "labels that do not match": (CLOUD, TWO[:-1]),
    "no rows": (CLOUD[:0], TWO[:0]),
    "no columns": (CLOUD[:, :0], TWO),
    "one axis": (CLOUD[:, 0], TWO),
    "text": (np.full((24, 5), "a"), TWO),
}
OF_EIGENVALUES = {
    *("explained_variance_ratio", "cumulative_variance", "condition_number"),
    *("collapsed_dimensions", "participation_ratio", "effective_rank", "stable_rank"),
    *("n_components_for", "power_law"),
}
OF_ANGLES = {"grassmann_distance", "chordal_distance", "projection_distance"}
RECORDS = {
    "ClassAngles",
    "CollapseVerdict",
    "PowerLaw",
    "PrincipalComponents",
}  # what functions return
FILES = {"load_moments", "save_moments"}
NEEDS = ("features", "clean", "labels", "probe_weights", "zero_shot_weights", "head_weights")


def functions():
    """Every metric of arrays and every public function, as calls of (features, labels)."""
    calls = {}
    for name, record in metrics.items():
        if record.room != "evaluation" and set(record.needs) <= set(NEEDS):
            calls[f"metric {name}"] = lambda x, y, r=record: r.function(
                *(
                    {"features": x, "clean": x[::-1], "labels": y}.get(n, head(x, y))
                    for n in r.needs
                )
            )
    two = {"alignment", "displacement", "subspace_angle_to_clean", "angles_to_clean"}
    two |= {"linear_cka", "procrustes_disparity", "representational_similarity"}
    two |= {"mutual_neighbours", "principal_angles", "nc4"}
    labelled = {"class_angles", "class_angle_mean", "class_angle_max", "class_angle_min"}
    labelled |= {"class_distance_variance", "etf_distance", "nc1", "nc2_equiangular"}
    labelled |= {"nc2_equinorm", "collapse_verdict"}
    for name in set(geometry.__all__) - RECORDS - OF_ANGLES - FILES:
        function = getattr(geometry, name)
        if name == "Moments":
            calls[name] = lambda x, y: geometry.Moments.of(x, y).scatter
            of_moments = ("spectrum", "nc1", "mean_cosine", "collapse_verdict")
            for read in (*of_moments, "principal_components"):
                of = getattr(geometry, read)
                calls[f"{read} of {name}"] = lambda x, y, f=of: f(geometry.Moments.of(x, y))
        elif name == "PairedMoments":
            calls[name] = lambda x, y: geometry.linear_cka(geometry.PairedMoments.of(x, x[::-1]))
            for read in ("procrustes_disparity", "alignment", "displacement"):
                of = getattr(geometry, read)
                calls[f"{read} of {name}"] = lambda x, y, f=of: f(
                    geometry.PairedMoments.of(x, x[::-1])
                )
        elif name == "sampled_similarity":
            calls[name] = lambda x, y: geometry.sampled_similarity(x, x[::-1])
        elif name in OF_EIGENVALUES:
            more = (0.9,) if name == "n_components_for" else ()
            calls[name] = lambda x, y, f=function, m=more: f(geometry.spectrum(x), *m)
        elif name in two:
            calls[name] = lambda x, y, f=function: f(x, x[::-1])
        elif name in labelled:
            calls[name] = lambda x, y, f=function: f(x, y)
        elif name == "nc3":
            calls[name] = lambda x, y: geometry.nc3(x, y, head(x, y))
        elif name == "nearest_neighbours":
            calls[name] = lambda x, y: geometry.nearest_neighbours(x, 3)
        else:
            calls[name] = lambda x, y, f=function: f(x)
    return calls


def head(x, y):
    """Weights of a linear head for the classes there are."""
    return np.eye(len(np.unique(y)), np.shape(x)[1]) if np.ndim(x) == 2 else np.eye(2)


CALLS = functions()


def numbers(value):
    """All numbers in what a function returned."""
    if isinstance(value, geometry.CollapseVerdict):
        value = value.evidence
    if isinstance(value, dict):
        value = list(value.values())
    if hasattr(value, "__dataclass_fields__"):
        value = [getattr(value, field) for field in value.__dataclass_fields__]
    if isinstance(value, (list, tuple)):
        return np.concatenate([np.empty(0), *map(numbers, value)])
    return np.asarray(value, dtype=float).ravel()


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("case", INPUTS)
def test_a_value_nan_or_a_clear_error_and_never_a_warning(name, case):
    features, labels = INPUTS[case]
    given = features.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = numbers(CALLS[name](features, labels))
        except ValueError as error:
            message = str(error)
            assert re.search("must|needs", message), message
        else:
            assert not np.isinf(found).any()
    np.testing.assert_array_equal(features, given)


def takes_labels(name):
    bare = name.removeprefix("metric ")
    measured = bare in metrics and "labels" in metrics[bare].needs
    others = {"class_angles", "collapse_verdict", "nc1", "nc3", "Moments"}
    return measured or bare in others or bare.endswith(" of Moments")


@pytest.mark.parametrize(
    ("name", "case"),
    [
        (name, case)
        for name in sorted(CALLS)
        for case in REFUSED
        if takes_labels(name) or case != "labels that do not match"
    ],
)
def test_what_is_no_cloud_is_refused_by_name(name, case):
    with pytest.raises((ValueError, TypeError), match=r"\w+(\[.*\])? must "):
        CALLS[name](*REFUSED[case])


PAIR = CLOUD, CLOUD[::-1]
COUNTS = {  # the argument, its least value, and calls of it
    "k": [
        (1, lambda n: geometry.nearest_neighbours(CLOUD, n)),
        (1, lambda n: geometry.hubness(CLOUD, n)),
        (2, lambda n: geometry.levina_bickel(CLOUD, n)),
        (1, lambda n: geometry.mutual_neighbours(*PAIR, n)),
        (1, lambda n: geometry.sampled_similarity(*PAIR, k=n)),
    ],
    "n_queries": [
        (2, lambda n: geometry.sampled_metrics(CLOUD, n)),
        (4, lambda n: geometry.sampled_similarity(*PAIR, n)),
    ],
    "chunk": [
        (1, lambda n: geometry.sampled_metrics(CLOUD, chunk=n)),
        (1, lambda n: geometry.sampled_similarity(*PAIR, chunk=n)),
        (1, lambda n: geometry.Moments.of(CLOUD, chunk=n)),
        (1, lambda n: geometry.PairedMoments.of(*PAIR, chunk=n)),
    ],
    "random_state": [
        (0, lambda n: geometry.sampled_metrics(CLOUD, 4, n)),
        (0, lambda n: geometry.sampled_similarity(*PAIR, 4, n)),
    ],
    "first": [(1, lambda n: geometry.power_law([3.0, 2.0, 1.0], n))],
    "last": [(2, lambda n: geometry.power_law([3.0, 2.0, 1.0], 2, n))],
    "n_components": [
        (1, lambda n: geometry.principal_angles(*PAIR, n)),
        (1, lambda n: geometry.class_angles(CLOUD, TWO, n)),
        (1, lambda n: geometry.angles_to_clean(*PAIR, n)),
        (1, lambda n: geometry.principal_components(CLOUD, n)),
        (0, lambda n: geometry.principal_components(CLOUD).project(CLOUD, n)),
        (0, lambda n: geometry.principal_components(CLOUD).whiten(CLOUD, n)),
        (0, lambda n: geometry.principal_components(CLOUD).reconstruction_error(CLOUD, n)),
    ],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "least", "call"), [(name, *case) for name, cases in COUNTS.items() for case in cases]
)
def test_counts_are_named(name, least, call):
    call(max(least, 2))
    with pytest.raises(ValueError, match=f"^{name} must be at least {least}; got {least - 1}"):
        call(least - 1)
    with pytest.raises(TypeError, match=f"^{name} must be a whole number; got 2.5"):
        call(2.5)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("discard", lambda x: geometry.two_nn(CLOUD, x)),
        ("threshold", lambda x: geometry.collapsed_dimensions([1.0], x)),
        ("fraction", lambda x: geometry.n_components_for([1.0], x)),
    ],
)
def test_shares_are_named(name, call):
    for beyond in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=f"^{name} must .*; got {beyond}"):
            call(beyond)
    with pytest.raises(TypeError, match=f"^{name} must be a number; got 'half'"):
        call("half")


def test_a_device_that_torch_does_not_know_is_refused():
    with pytest.raises(ValueError, match="device must be 'auto', 'cpu'"):
        geometry.class_angles(CLOUD, TWO, device="foo")
