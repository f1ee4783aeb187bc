import pytest

from rfav_cli.errors import RfavError
from rfav_cli.options import Scan


def test_files_must_be_named_and_a_level_is_one_of_three() -> None:
    assert Scan(["a.pt"]).flag == "refused"
    with pytest.raises(TypeError):
        Scan()  # type: ignore[call-arg]
    with pytest.raises(RfavError, match="--flag"):
        Scan(["a.pt"], flag="never")
