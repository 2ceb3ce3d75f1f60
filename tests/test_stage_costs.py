"""What stages take on small samples, and of that what cells of a study take."""

import pytest

from tdafeat import stage_costs as module
from tdafeat.sources.groups import Size
from tests.small_study import study


def test_encoders_of_many_dimensions_take_no_more_samples(monkeypatch):
    """A cost that grows evenly with the dimension is found right between the ends."""
    ran = []

    def noted(study, size, shape):
        ran.append(size.dimension)
        return {"probe": (float(size.dimension), 2.0 * size.dimension)}

    monkeypatch.setattr(module, "_run_sample", noted)
    kinds = [(Size(60, 60, dimension, 3), None) for dimension in (64, 8, 512, 100)]
    found = module.stage_costs(study(), kinds, 2, 2)
    assert [taken["probe"][0] for taken in found] == pytest.approx([64, 8, 512, 100])
    assert [taken["probe"][1] for taken in found] == pytest.approx([128, 16, 1024, 200])
    assert len(ran) == 1 + 2 + 2  # one warms up; two sizes at each end


def test_what_goes_over_all_levels_and_cells_is_forecast_for_so_many(monkeypatch):
    """Samples have two levels of one encoder, and draw surrogates once."""
    stages = ("topology", "scores", "measure", "robustness", "similarity", "baselines")
    known = dict.fromkeys((*stages, "statistics"), (1.0, 100.0))
    monkeypatch.setattr(module, "_run_sample", lambda study, size, shape: known)
    (taken,) = module.stage_costs(study(baselines=3), [(Size(60, 60, 8, 3), None)], 6, 12)
    seconds = {stage: value for stage, (value, _) in taken.items()}
    assert (seconds["topology"], seconds["measure"], seconds["scores"]) == (1, 1, 1)
    assert (seconds["robustness"], seconds["similarity"]) == (3, 3)
    assert (seconds["baselines"], seconds["statistics"]) == (3 * 3, 6)


def test_analyses_of_images_are_forecast_too():
    asked = study(analyses=("centroids",), baselines=0)
    seconds, disk = module._run_sample(asked, Size(12, 12, 16, 2), (1, 4, 4))["analyses"]
    assert seconds > 0
    assert disk > 0
