import threading
import time

import pytest

from tdafeat.topology.parallel import in_threads, of_each


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_results_come_in_order(n_threads):
    def slow_if_even(item):
        time.sleep(0.002 * (item % 2 == 0))
        return item * item

    assert in_threads(slow_if_even, range(40), n_threads) == [item**2 for item in range(40)]
    assert of_each(slow_if_even, range(9), n_threads, threads=True) == [n**2 for n in range(9)]
    assert in_threads(abs, [], n_threads) == []


def test_the_caller_works_beside_the_others():
    both = threading.Barrier(2, timeout=30)

    def met(_):
        both.wait()  # passes only if two are at work at once
        return threading.current_thread()

    assert threading.current_thread() in in_threads(met, range(4), 2)


def test_calls_within_calls_do_not_wait_for_each_other():
    def inner(item):
        return sum(in_threads(abs, range(item), 2))

    assert in_threads(inner, range(20), 2) == [sum(range(item)) for item in range(20)]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_an_error_reaches_the_caller_and_nothing_is_begun_after_it(n_threads):
    begun = []

    def fails_at_three(item):
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        time.sleep(0.001)

    with pytest.raises(ValueError, match="three"):
        in_threads(fails_at_three, range(1000), n_threads)
    time.sleep(0.05)
    assert len(begun) < 50
