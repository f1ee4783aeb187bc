from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest
import torch

from rfav_cli.checkpoints import pickle_walk
from rfav_cli.checkpoints.pickle_walk import BoundedFile, Walked, walk, walk_whole
from tests.checkpoints.inspection.files import Calls


def walked_through(content: bytes) -> Walked:
    walked = Walked()
    walk_whole(content, walked)
    return walked


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_call_is_met_in_each_protocol(protocol: int) -> None:
    walked = walked_through(pickle.dumps({"net": Calls()}, protocol))
    assert walked.names == {(os.system.__module__, "system"): True}
    assert walked.whole


def test_a_name_is_no_call() -> None:
    assert walked_through(pickle.dumps([os.system])).names == {(os.system.__module__, "system"): False}


def test_what_a_call_gives_is_not_to_be_called() -> None:
    made = b"cmy_nets\nmake\n(cmy_nets\nNet\ntR"
    assert not walked_through(made + b".").calls_given
    assert walked_through(made + b"(tR.").calls_given


def test_a_member_of_a_class_is_a_name_and_to_be_called_a_call() -> None:
    member = b"c__builtin__\ngetattr\n(cmy_nets\nKind\nX\x03\x00\x00\x00onetR"
    assert walked_through(member + b".").names[("my_nets", "Kind.one")] is False
    called = walked_through(member + b"(tR.")
    assert (called.names[("my_nets", "Kind.one")], called.calls_given) == (True, False)
    hidden = walked_through(member.replace(b"X\x03\x00\x00\x00one", b"X\x07\x00\x00\x00__new__") + b".")
    assert hidden.names[("__builtin__", "getattr")] is True


def test_a_class_is_not_to_be_changed() -> None:
    assert walked_through(b"\x80\x02cmy_nets\nNet\n}X\x01\x00\x00\x00aK\x01sb.").calls_given


def test_what_cannot_be_followed_is_listed() -> None:
    walked = walked_through(b"\x80\x02K\x01(cposix\nsystem\nX\x02\x00\x00\x00idtR}b.")  # a state for a number
    assert walked.problem
    assert ("posix", "system") in walked.names


def test_a_name_that_is_put_together_while_reading_leaves_a_gap() -> None:
    text = b"\x8c\x02os\x94\x8c\x06system\x94"
    assert walked_through(b"\x80\x04K\x01}b" + text + b"\x93.").names == {("os", "system"): True}
    hidden = walked_through(b"\x80\x04K\x01}b" + text + b"N0\x93.")  # something is put between, and taken away
    assert not hidden.whole


def test_a_cut_pickle_is_not_whole() -> None:
    content = pickle.dumps({"a": [1.5] * 100, "b": Calls()})
    assert not walked_through(content[:-20]).whole


def test_pickles_in_pickles_are_walked_through() -> None:
    inner = pickle.dumps(Calls())
    outer = pickle.dumps(Calls(torch.storage._load_from_bytes, inner))
    assert (os.system.__module__, "system") in walked_through(outer).names


def test_a_tensor_by_pickle_holds_its_storage_in_itself() -> None:
    walked = walked_through(pickle.dumps({"weight": torch.ones(3)}))
    assert (walked.problem, walked.whole) == ("", True)


def test_pickles_in_pickles_end_somewhere() -> None:
    content: Any = b"N."
    for _ in range(7):
        content = pickle.dumps(Calls(torch.storage._load_from_bytes, content))
    assert not walked_through(content).whole


def test_no_more_is_read_than_there_is() -> None:
    file = BoundedFile(io.BytesIO(b"abc"), 3)
    assert file.read(2**40) == b"abc"
    assert file.left == 0


def test_there_is_an_end_to_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_walk, "MOST_READS", 100)
    walked = Walked()
    assert list(walk(io.BytesIO(b"(" + b"N" * 1000 + b"t."), 1003, walked)) == []
    assert not walked.whole


def test_it_needs_no_torch() -> None:
    code = "import sys, rfav_cli.checkpoints.inspection.pickle; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
