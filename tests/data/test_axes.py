"""The layouts of arrays."""

from rfav_cli.data.axes import LAYOUTS


def test_each_layout_has_as_many_axes_as_letters_and_samples_first_or_alone():
    assert {name: len(name) for name in LAYOUTS} == LAYOUTS
    assert {name[0] for name in LAYOUTS} == {"n"}
