"""A verdict tells its layers by their state."""

from __future__ import annotations

from rfav_cli.records import LayerFinding, RunFinding, Verdict

LAYERS = tuple(
    LayerFinding(name, state)
    for name, state in (("a", "collapsed"), ("b", "stable"), ("c", "falling"), ("d", None), ("e", "collapsed"))
)
VERDICT = Verdict(RunFinding("healthy", "why"), LAYERS)


def test_layers_in_some_states_come_in_forward_order() -> None:
    def names(*states: str) -> list[str]:
        return [layer.name for layer in VERDICT.in_state(*states)]  # type: ignore[arg-type]

    assert names("collapsed") == ["a", "e"]
    assert names("falling", "collapsed") == ["a", "c", "e"]
    assert names("stable") == ["b"]
    assert names() == []


def test_a_layer_of_which_nothing_can_be_said_is_in_no_state() -> None:
    every = VERDICT.in_state("stable", "falling", "collapsed")
    assert [layer.name for layer in LAYERS if layer not in every] == ["d"]
    assert LAYERS[3].confidence is LAYERS[3].fall is LAYERS[3].onset is None
