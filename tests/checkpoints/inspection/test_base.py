from rfav_cli.checkpoints.inspection import INSPECTIONS
from rfav_cli.checkpoints.inspection.base import Inspection


def test_each_format_gives_what_is_asked_of_it() -> None:
    from importlib import import_module

    asked = {name for name in (*vars(Inspection), *Inspection.__annotations__) if not name.startswith("_")}
    assert asked == {"WHAT", "recognises", "inspect"}
    for name in INSPECTIONS:
        module = import_module(f"rfav_cli.checkpoints.inspection.{name}")
        assert asked <= set(vars(module)), name
