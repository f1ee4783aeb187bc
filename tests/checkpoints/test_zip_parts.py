import io

import pytest
import torch

from rfav_cli.checkpoints.zip_parts import Window, parts_of


def saved(*numbers: float) -> bytes:
    file = io.BytesIO()
    torch.save(torch.tensor(numbers), file)
    return file.getvalue()


def test_archives_that_follow_one_another_are_told_apart() -> None:
    parts = [saved(1.0), saved(2.0, 3.0), saved()]
    content = b"".join(parts)
    spans = list(parts_of(io.BytesIO(content), len(content)))
    assert [content[start:stop] for start, stop in spans] == parts


def test_what_is_no_archive_ends_them() -> None:
    content = saved(1.0) + b"rest" + saved(2.0)
    assert len(list(parts_of(io.BytesIO(content), len(content)))) == 1
    assert list(parts_of(io.BytesIO(b"none"), 4)) == []


def test_a_window_is_a_file_of_its_own() -> None:
    window = Window(io.BytesIO(b"0123456789"), 2, 6)
    assert (window.read(), window.tell()) == (b"2345", 4)
    assert window.seek(-2, 2) == 2
    assert window.read(9) == b"45"
    with pytest.raises(ValueError, match="before"):
        window.seek(-9, 1)
