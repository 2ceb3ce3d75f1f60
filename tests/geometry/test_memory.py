"""Geometry of features on disk: the same numbers whatever their size, in little memory."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tdafeat import geometry
from tdafeat.geometry import (
    ClassAngles,
    CollapseVerdict,
    Moments,
    PairedMoments,
    PrincipalComponents,
    load_moments,
    nc3,
    nc4,
    principal_components,
    sampled_metrics,
    sampled_similarity,
    save_moments,
)
from tdafeat.topology import topology_divergence

ROOT = Path(__file__).parents[2]
OF_ONE = ("spectrum", "rankme", "total_variance", "mean_cosine", "principal_components")
OF_CLASSES = (
    *("nc1", "nc2_equinorm", "nc2_equiangular", "etf_distance", "class_distance_variance"),
    *("class_angles", "class_angle_mean", "class_angle_min", "class_angle_max"),
    "collapse_verdict",
)
OF_PAIRS = ("alignment", "displacement", "linear_cka", "procrustes_disparity")
OF_SAMPLES = ("uniformity", "mutual_neighbours", "topology_divergence")
OF_SPANS = ("principal_angles", "angles_to_clean", "subspace_angle_to_clean")


def in_chunks(noisy, clean, labels, folder):
    """Everything exact, of features too large for memory."""
    save_moments(folder / "own", Moments.of(noisy, labels, scatters=True))
    own, other = load_moments(folder / "own"), Moments.of(clean)
    both = PairedMoments.of(noisy, clean)
    found = {name: getattr(geometry, name)(own) for name in OF_ONE + OF_CLASSES}
    found |= {name: getattr(geometry, name)(both) for name in OF_PAIRS}
    found |= {name: getattr(geometry, name)(own, other) for name in OF_SPANS}
    found["nc3"] = nc3(own, weights=clean[: len(own.classes)])
    found["nc4"] = nc4(noisy, clean)
    found["projected"] = principal_components(own, 3).project(noisy)
    return found


def in_memory(noisy, clean, labels):
    """The same of arrays."""
    found = {name: getattr(geometry, name)(noisy) for name in OF_ONE}
    found |= {name: getattr(geometry, name)(noisy, labels) for name in OF_CLASSES}
    found |= {name: getattr(geometry, name)(noisy, clean) for name in OF_PAIRS + OF_SPANS}
    found["nc3"] = nc3(noisy, labels, clean[: len(np.unique(labels))])
    found["nc4"] = nc4(noisy, clean)
    found["projected"] = principal_components(noisy, 3).project(noisy)
    return found


def numbers(value):
    if isinstance(value, ClassAngles):
        return value.angles
    if isinstance(value, PrincipalComponents):
        return value.components
    if isinstance(value, CollapseVerdict):
        return np.array(list(value.evidence.values()))
    return np.asarray(value)


def on_disk(path, n, d, n_classes=10):
    """n + 1 Gaussian rows of d columns, whose class c has its mean at 4 along axis c."""
    file = np.lib.format.open_memmap(path, "w+", np.float32, (n + 1, d))
    rng = np.random.default_rng(0)
    for start in range(0, n + 1, 50_000):
        rows = file[start : start + 50_000]
        rng.standard_normal(out=rows, dtype=np.float32)
        place = np.arange(len(rows))
        rows[place, (start + place) % n_classes] += 4
    file.flush()
    return clean_and_noisy(path, n_classes)


def clean_and_noisy(path, n_classes=10):
    """Noisy rows, those before them as their clean ones, and the classes of the noisy."""
    rows = np.load(path, mmap_mode="r")
    return rows[1:], rows[:-1], np.arange(1, len(rows)) % n_classes


def test_in_chunks_all_is_as_in_memory(tmp_path):
    # more rows than are read at a time
    noisy, clean, labels = on_disk(tmp_path / "x.npy", 9000, 24)
    found = in_chunks(noisy, clean, labels, tmp_path)
    expected = in_memory(np.array(noisy), np.array(clean), labels)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(
            numbers(found[name]), numbers(value), rtol=1e-6, atol=1e-7, err_msg=name
        )


def measure(path):
    """Of the file at `path`, the largest memory there was above that before, in MiB."""
    status = Path("/proc/self/status")

    def mebibytes(field):  # of memory that is there, pages of mapped files among it
        return int(re.search(rf"{field}:\s+(\d+)", status.read_text())[1]) / 1024

    noisy, clean, labels = clean_and_noisy(path)
    before = mebibytes("VmRSS")
    peaks = {}
    exact = in_chunks(noisy, clean, labels, Path(path).parent)
    peaks["exact"] = mebibytes("VmHWM") - before
    sampled = sampled_metrics(noisy, 200) | sampled_similarity(noisy, clean, 200)
    peaks["sampled"] = mebibytes("VmHWM") - before
    sampled_metrics(noisy[:10_000], 10_000)  # more than one pass asks
    peaks["10,000 queries"] = mebibytes("VmHWM") - before
    sampled["topology_divergence"] = topology_divergence(noisy, clean)
    peaks["divergence"] = mebibytes("VmHWM") - before
    values = {name: float(exact[name]) for name in ("total_variance", "displacement", "nc4")}
    values |= {name: sampled[name].value for name in OF_SAMPLES}
    print(json.dumps({"peaks": peaks, "values": values}))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_million_rows_in_less_than_two_gibibytes(tmp_path):
    on_disk(tmp_path / "x.npy", 1_000_000, 512)
    code = f"from tests.geometry.test_memory import measure; measure({str(tmp_path / 'x.npy')!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    assert max(found["peaks"].values()) < 1024, found["peaks"]  # twice that is promised
    values = found["values"]
    # ten means at the corners of a simplex, 4 from the origin: 16 (1 - 1/10) between them
    assert values["total_variance"] == pytest.approx(512 + 14.4, rel=1e-3)
    # neighbouring rows are of unlike classes: Gaussian of variance 2 about a distance of 32^(1/2)
    assert values["displacement"] == pytest.approx((2 * 512 + 32) ** 0.5, rel=2e-3)
    assert values["nc4"] < 0.05
    assert values["mutual_neighbours"] < 0.05
    assert values["topology_divergence"] > 1  # of unrelated rows; alike they would have 0


HOW = {"Moments", "PairedMoments", "load_moments", "save_moments"}
HOW |= {"sampled_metrics", "sampled_similarity"}
RECORDS = {"ClassAngles", "CollapseVerdict", "PowerLaw"}  # what functions return


def test_the_guide_says_of_every_function_once_how_it_takes_features_on_disk():
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    section = page.split("## Which function")[1].split("\n## ")[0]
    firsts = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = re.findall(r"`(\w+)[\w.]*`", " ".join(firsts))
    assert sorted(named) == sorted({*geometry.__all__, "topology_divergence"} - HOW - RECORDS)
