import logging

import pytest
from huggingface_hub import constants

from tdafeat.encoders import hub
from tdafeat.errors import DataUnavailable


@pytest.mark.parametrize("reachable", [True, False])
def test_only_an_unreachable_hub_is_left_alone(reachable, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "_reachable", lambda endpoint: reachable)
    with hub.downloads("a: its weights are", "give a file"):
        assert constants.HF_HUB_OFFLINE is not reachable
    assert constants.HF_HUB_OFFLINE is False


def test_any_failure_is_one_sentence(monkeypatch):
    monkeypatch.setattr(hub, "_reachable", lambda endpoint: True)
    with (
        pytest.raises(DataUnavailable) as info,
        hub.downloads("a: its weights are", "give a file"),
    ):
        raise RuntimeError("404 not found\nhttps://example.org\nTraceback")
    assert str(info.value) == (
        "a: its weights are not on this machine and cannot be downloaded (404 not found); "
        "give a file"
    )
    assert info.value.__suppress_context__


def test_libraries_are_quiet_and_then_heard_again(caplog):
    with hub.quiet():
        logging.getLogger("somebody").error("unheard")
    logging.getLogger("somebody").error("heard")
    assert caplog.messages == ["heard"]


def test_a_name_without_an_address_is_unreachable(monkeypatch):
    monkeypatch.setattr(hub, "getproxies", dict)
    assert not hub._reachable("https://hub.invalid")
    monkeypatch.setattr(hub, "getproxies", lambda: {"https": "http://proxy:3128"})
    assert hub._reachable("https://hub.invalid")
