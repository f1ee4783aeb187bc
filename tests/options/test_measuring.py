"""Options of what measures a run."""

from __future__ import annotations

from dataclasses import fields

import pytest

from rfav_cli.options import FIRST, Analyze, Monitored, Options, Watch, options_of


@pytest.mark.parametrize("record", [Analyze, Watch])
def test_a_beginner_is_shown_the_net_the_samples_and_the_result_first(record: type[Options]) -> None:
    assert {name for name, described in options_of(record) if described.panel == FIRST} == {"model", "probe", "out"}


@pytest.mark.parametrize("record", [Analyze, Watch])
def test_a_probe_must_be_given(record: type[Options]) -> None:
    with pytest.raises(TypeError, match="probe"):
        record("runs")  # type: ignore[call-arg]


def test_watching_takes_no_part_of_a_run() -> None:
    assert {"shard", "no_pack", "skip_bad"} <= {field.name for field in fields(Analyze)}
    assert not {"shard", "no_pack", "skip_bad"} & {field.name for field in fields(Watch)}


def test_a_monitor_has_the_net_itself_and_loads_no_file() -> None:
    net = object()
    monitored = Monitored(net, "probe.npz", "store.h5")
    assert (monitored.model, monitored.probe, monitored.store) == (net, "probe.npz", "store.h5")
    assert not {"model_arg", "i_trust_this_pickle", "epochs"} & {field.name for field in fields(Monitored)}
