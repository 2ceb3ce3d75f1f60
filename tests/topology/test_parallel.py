import threading
import time

import pytest

from tdafeat.topology.parallel import in_turn, of_each


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_results_come_in_order(n_threads):
    def slow_if_even(item):
        time.sleep(0.002 * (item % 2 == 0))
        return item * item

    assert list(in_turn(slow_if_even, range(40), n_threads)) == [item**2 for item in range(40)]
    assert of_each(slow_if_even, range(9), n_threads, threads=True) == [n**2 for n in range(9)]
    assert list(in_turn(abs, [], n_threads)) == []


def test_the_caller_works_beside_the_others():
    both = threading.Barrier(2, timeout=30)

    def met(_):
        both.wait()  # passes only if two are at work at once
        return threading.current_thread()

    assert threading.current_thread() in list(in_turn(met, range(4), 2))


def test_work_goes_on_where_every_helper_is_busy():
    """The caller does it all; so calls within calls cannot wait for each other."""

    def inner(item):
        return sum(in_turn(abs, range(item), 2))

    assert list(in_turn(inner, range(20), 2)) == [sum(range(item)) for item in range(20)]


def test_an_error_reaches_the_caller_and_nothing_is_begun_after_it():
    begun = []

    def fails_at_three(item):
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        time.sleep(0.001)
        return item

    with pytest.raises(ValueError, match="three"):
        list(in_turn(fails_at_three, range(1000), 3))
    time.sleep(0.05)
    assert len(begun) < 50


def test_nothing_is_begun_once_closed():
    begun = []

    def noted(item):
        begun.append(item)
        time.sleep(0.001)
        return item

    results = in_turn(noted, range(1000), 2)
    assert next(results) == 0
    results.close()
    time.sleep(0.05)
    assert len(begun) < 50
