import threading
import time

import numpy as np
import pytest
import torch

from tdafeat.geometry.threads import over_threads
from tdafeat.record import metrics
from tdafeat.sharing import is_sharing, shared, sharing

RNG = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 12)
CLEAN = RNG.normal(size=(4, 8))[LABELS] + RNG.normal(size=(48, 8))
VIEW = {"features": CLEAN + 0.3 * RNG.normal(size=CLEAN.shape), "clean": CLEAN, "labels": LABELS}


def test_a_result_is_kept_for_the_same_arrays_until_the_block_ends():
    calls = []

    @shared
    def count(points, k=1):
        calls.append(k)
        return len(calls)

    a, b = np.ones(3), np.ones(3)
    assert [count(a), count(a)] == [1, 2]
    with sharing():
        assert is_sharing()
        assert [count(a), count(a), count(b), count(a, 2), count(a, k=2), count(b)] == [
            3, 3, 4, 5, 6, 4,
        ]  # fmt: skip
    assert not is_sharing()
    assert count(a) == 7


def test_threads_wait_for_what_another_is_at():
    calls = []

    @shared
    def slow(points):
        calls.append(threading.get_ident())
        time.sleep(0.05)
        return points.sum()

    points, torch_threads = np.ones(3), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with sharing():
            assert over_threads(lambda _: slow(points), range(4)) == [3.0] * 4
    finally:
        torch.set_num_threads(torch_threads)
    assert len(calls) == 1


def test_a_failure_is_not_kept():
    answers = iter([ValueError("no"), 1])

    @shared
    def once(points):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    points = np.ones(3)
    with sharing():
        with pytest.raises(ValueError, match="no"):
            once(points)
        assert once(points) == 1


def test_a_block_within_another_finds_what_that_has_and_keeps_its_own():
    calls = []
    count = shared(lambda points: calls.append(1) or len(calls))
    a, b = np.ones(3), np.ones(3)
    with sharing():
        assert count(a) == 1
        with sharing():
            assert [count(a), count(b), count(b)] == [1, 2, 2]
        assert count(b) == 3


def test_an_array_made_anew_is_never_taken_for_an_older_one():
    with sharing():
        first = shared(np.sum)
        assert [first(np.full(3, float(i))) for i in range(20)] == [3.0 * i for i in range(20)]


def test_metrics_have_the_same_values_with_and_without():
    records = [r for _, r in metrics.items() if set(r.needs) <= set(VIEW)]

    def values():
        found = [r.function(*(VIEW[need] for need in r.needs)) for r in records]
        return [np.asarray(getattr(v, "value", v)) for v in found]

    alone = values()
    with sharing():
        together = values()
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12)
