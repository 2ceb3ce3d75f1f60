"""Moments that went through files, on their way from the machines that read the parts."""

import numpy as np
import pytest

from tdafeat.artefact import pack
from tdafeat.errors import DataUnavailable, UnreadableData
from tdafeat.geometry import (
    Moments,
    PairedMoments,
    alignment,
    linear_cka,
    load_moments,
    nc1,
    save_moments,
    spectrum,
)

RNG = np.random.default_rng(0)
CLEAN = RNG.normal(size=(90, 5))
NOISY = CLEAN + RNG.normal(size=(90, 5))
LABELS = RNG.integers(0, 3, 90)

KINDS = {
    "moments": Moments.of(CLEAN, LABELS),
    "scatters": Moments.of(CLEAN, LABELS, scatters=True),
    "zeros": Moments.of(np.zeros((4, 2))),
    "pairs": PairedMoments.of(CLEAN, NOISY),
    "unlike": PairedMoments.of(CLEAN, NOISY[:, :2]),
}


def numbers(value):
    """Everything inside, flat; nothing for None."""
    if hasattr(value, "__dataclass_fields__"):
        value = tuple(vars(value).values())
    if isinstance(value, tuple):
        return np.concatenate([numbers(part) for part in value])
    return np.empty(0) if value is None else np.ravel(value).astype(float)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_is_read_to_the_bit(kind, tmp_path):
    save_moments(tmp_path / "part", KINDS[kind])
    again = load_moments(str(tmp_path / "part"))
    assert type(again) is type(KINDS[kind])
    assert numbers(again).tobytes() == numbers(KINDS[kind]).tobytes()
    assert numbers(again + again).shape == numbers(KINDS[kind]).shape  # no less able to be merged


def test_parts_of_several_machines_merge_to_the_whole(tmp_path):
    for k in (0, 1):
        save_moments(tmp_path / f"own-{k}", Moments.of(NOISY[k::2], LABELS[k::2], chunk=7))
        save_moments(tmp_path / f"pair-{k}", PairedMoments.of(NOISY[k::2], CLEAN[k::2], chunk=7))
    own, both = (
        load_moments(tmp_path / f"{name}-1") + load_moments(tmp_path / f"{name}-0")
        for name in ("own", "pair")
    )
    assert spectrum(own) == pytest.approx(spectrum(NOISY), rel=1e-9)
    assert nc1(own) == pytest.approx(nc1(NOISY, LABELS), rel=1e-9)
    assert linear_cka(both) == pytest.approx(linear_cka(NOISY, CLEAN), abs=1e-9)
    assert alignment(both) == pytest.approx(alignment(NOISY, CLEAN), rel=1e-12)


def test_a_file_that_is_not_there_or_nothing_to_save(tmp_path):
    with pytest.raises(DataUnavailable, match="there is no such file"):
        load_moments(tmp_path / "none")
    with pytest.raises(TypeError, match="must be Moments or PairedMoments; got ndarray"):
        save_moments(tmp_path / "x", CLEAN)
    assert not list(tmp_path.iterdir())


GOOD = {name: value for name, value in vars(KINDS["moments"]).items() if value is not None}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        bytes(pack({}, {}, GOOD)),
        bytes(pack({"kind": "Diagrams"}, {}, GOOD)),
        bytes(pack({"kind": "PairedMoments"}, {}, GOOD)),
        bytes(pack({"kind": "Moments"}, {}, GOOD | {"more": np.eye(2)})),
        bytes(pack({"kind": "Moments"}, {}, GOOD | {"means": np.ones(3)})),
        bytes(pack({"kind": "Moments"}, {}, GOOD | {"within": np.eye(4)})),
        bytes(pack({"kind": "Moments"}, {}, GOOD | {"within": np.full((5, 5), "a")})),
        bytes(pack({"kind": "Moments"}, {}, GOOD))[:-1],
    ],
)
def test_what_holds_no_moments_is_refused(content, tmp_path):
    (tmp_path / "part").write_bytes(content)
    with pytest.raises(UnreadableData, match="part holds no moments as tdafeat saves them"):
        load_moments(tmp_path / "part")
