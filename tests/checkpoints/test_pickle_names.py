import pytest

from rfav_cli.checkpoints.pickle_names import is_attack, judge


@pytest.mark.parametrize(
    ("module", "name", "called", "judgement"),
    [
        ("torch._utils", "_rebuild_tensor_v2", True, "harmless"),
        ("torch", "FloatStorage", False, "harmless"),
        ("torch", "float32", False, "harmless"),
        ("torch", "load", True, "runs code"),
        ("builtins", "ValueError", True, "harmless"),
        ("__builtin__", "unicode", True, "harmless"),
        ("builtins", "getattr", True, "runs code"),
        ("builtins", "eval", False, "runs code"),
        ("builtins", "type", False, "harmless"),
        ("builtins", "type", True, "runs code"),
        ("posix", "system", True, "runs code"),
        ("torch.serialization", "os.system", True, "runs code"),
        ("my_nets", "Net", True, "foreign"),
        ("my_nets", "Outer._Net", True, "foreign"),
        ("my_nets", "make_net", True, "runs code"),
        ("my_nets", "make_net", False, "foreign"),
        ("my_nets", "Net.__init__.__globals__", True, "runs code"),
        ("my_nets", "Net.__class__.Other", True, "runs code"),
        ("pdb", "Pdb", True, "runs code"),  # of Python's own library, however it is written
        ("commands", "getoutput", True, "runs code"),  # of an older one
        ("__torch__.net", "Net", True, "harmless"),
        ("numpy", "float32", False, "harmless"),
        ("numpy", "load", True, "runs code"),
    ],
)
def test_a_name_is_judged_by_what_calling_it_can_do(module: str, name: str, called: bool, judgement: str) -> None:
    assert judge(module, name, called) == judgement


def test_only_what_weights_have_no_use_for_is_an_attack() -> None:
    assert is_attack("os", "system")
    assert is_attack("importlib.util", "find_spec")
    assert is_attack("__builtin__", "eval")
    assert not is_attack("osqp", "OSQP")
    assert not is_attack("my_nets", "eval")
