"""A training recorded from inside: the figures of its checkpoints, without any trace left in it."""

from __future__ import annotations

import copy
import inspect
import threading
import types

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

import rfav_cli
from rfav_cli.errors import CheckpointError, ModelError, SampleError, StoreError, UsageError
from rfav_cli.training.monitor import sha256_of
from tests.commands import nets

LAYOUT = {nets.Images: "nchw", nets.Sequences: "nct", nets.Vectors: "nf"}


def monitor_of(model, kind, samples, store, **options):
    return rfav_cli.Monitor(model, samples(kind), store, layout=LAYOUT[kind], **options)


def steps(model, kind, count=2, seed=0):
    """A few steps of a training, and its optimizer."""
    torch.manual_seed(seed)
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    for _ in range(count):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.randn(8, *nets.SHAPES[kind])), torch.arange(8) % 4).backward()
        optimizer.step()
    return optimizer


def assert_same(history, other):
    assert list(history.epochs) == list(other.epochs)
    assert set(history.columns) == set(other.columns)
    for name, column in other.columns.items():
        np.testing.assert_array_equal(history.columns[name][:], column[:], err_msg=name)


@pytest.mark.parametrize("kind", nets.SHAPES)
@pytest.mark.parametrize("options", [{}, {"no_fold_norm": True, "with_bias": True, "maps": "all", "batch_size": 7}])
def test_the_figures_are_those_of_the_checkpoints(tmp_path, samples, kind, options):
    model = nets.make(kind, 3).train()
    with monitor_of(model, kind, samples, tmp_path / "live.h5", **options) as monitor:
        for epoch in (-1, 0, 1):
            monitor.record(epoch)
            torch.save(model.state_dict(), tmp_path / f"epoch_{epoch}.pt")
            steps(model, kind, seed=epoch + 1)
    saved = rfav_cli.analyze(
        tmp_path, probe=samples(kind), model=kind, out=tmp_path / "saved.h5", layout=LAYOUT[kind], **options
    )
    live = rfav_cli.open_store(tmp_path / "live.h5")
    assert_same(live, saved)
    assert live.run.layers == saved.run.layers
    assert not np.array_equal(live.entropy[0], live.entropy[1])


def test_samples_may_be_objects(tmp_path, samples):
    file = np.load(samples(nets.Vectors))
    x, y = torch.from_numpy(file["images"]), torch.from_numpy(file["labels"])
    data = torch.utils.data.TensorDataset(x, y)
    stores = []
    for number, probe in enumerate((samples(nets.Vectors), (x, y), data, torch.utils.data.DataLoader(data, 5))):
        with rfav_cli.Monitor(nets.make(nets.Vectors, 3), probe, tmp_path / f"{number}.h5") as monitor:
            monitor.record(0)
        stores.append(rfav_cli.open_store(tmp_path / f"{number}.h5"))
    assert len({store.run.probe.sha256 for store in stores[:3]}) == 1
    for store in stores[1:]:
        np.testing.assert_allclose(store.loss, stores[0].loss)
    with pytest.raises(SampleError, match="an object of type Linear is no samples"):
        rfav_cli.Monitor(nets.make(nets.Vectors, 3), nn.Linear(2, 2), tmp_path / "c.h5")


class Dropping(nets.Images):
    """Draws random numbers, and has modules in both modes."""

    def forward(self, x):
        return super().forward(nn.functional.dropout(x, 0.3, self.training))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_training_goes_on_as_if_nothing_were_recorded(tmp_path, samples, dtype):
    def trained(record):
        model = nets.make(Dropping, 1).train().to(dtype)
        model.norm.eval()
        model.fc2.weight.requires_grad_(False)
        monitor = monitor_of(model, nets.Images, samples, tmp_path / "a.h5") if record else None
        torch.manual_seed(5)
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 0.01)
        for epoch in range(3):
            x = torch.randn(8, 3, 9, 9, dtype=dtype)
            nn.functional.cross_entropy(model(x), torch.arange(8) % 4).backward()
            if monitor:
                before = snapshot(model)
                monitor.record(epoch)
                assert snapshot(model) == before
            optimizer.step()
            optimizer.zero_grad()
        return model.state_dict(), optimizer.state_dict()["state"], torch.get_rng_state()

    def snapshot(model):
        parameters = [(p.dtype, p.device, p.stride(), p.data_ptr(), p.grad is None) for p in model.parameters()]
        return parameters, [m.training for m in model.modules()], torch.is_grad_enabled()

    plain, recorded = trained(False), trained(True)
    torch.testing.assert_close(recorded, plain, rtol=0, atol=0)


def test_a_net_that_draws_in_evaluation_too_leaves_the_generator_as_it_was(tmp_path, samples):
    class Noisy(nets.Vectors):
        def forward(self, x):
            return super().forward(x + 0.01 * torch.randn_like(x))

    torch.manual_seed(3)
    state = torch.get_rng_state()
    model = nets.make(Noisy, 0)
    torch.manual_seed(3)
    monitor = monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5")
    monitor.record(0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.fixture
def process_group(tmp_path):
    torch.distributed.init_process_group("gloo", f"file://{tmp_path}/meeting", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize(
    "wrap",
    [
        DataParallel,
        DistributedDataParallel,
        lambda net: torch.compile(net, backend="eager"),
        lambda net: torch.compile(DistributedDataParallel(net), backend="eager"),
    ],
    ids=["parallel", "distributed", "compiled", "both"],
)
@pytest.mark.usefixtures("process_group")
def test_wrapped_nets_are_measured_under_their_own_names(tmp_path, samples, wrap):
    model = nets.make(nets.Vectors, 2)
    plain = monitor_of(model, nets.Vectors, samples, tmp_path / "plain.h5")
    plain.record(0)
    wrapped = monitor_of(wrap(model), nets.Vectors, samples, tmp_path / "wrapped.h5")
    wrapped.record(0)
    histories = [rfav_cli.open_store(tmp_path / f"{name}.h5") for name in ("plain", "wrapped")]
    assert_same(*histories)
    assert [layer.name for layer in histories[1].run.layers] == ["fc1", "fc2"]


def within_compiled(model):
    model.fc1 = torch.compile(model.fc1, backend="eager")
    return model


def with_autocast_around(model):
    """What accelerate makes of a net with mixed precision."""
    model._original_forward = model.forward
    model.forward = types.MethodType(torch.autocast("cpu", torch.bfloat16)(type(model).forward), model)
    return model


def after_a_forward_that_kept_a_tensor(model):
    model.last = model.fc1(torch.ones(2, 6))
    return model


@pytest.mark.parametrize("change", [within_compiled, with_autocast_around, after_a_forward_that_kept_a_tensor])
def test_what_is_done_to_a_net_does_not_change_its_figures(tmp_path, samples, change):
    model = nets.make(nets.Vectors, 2)
    monitor_of(model, nets.Vectors, samples, tmp_path / "plain.h5").record(0)
    monitor_of(change(model), nets.Vectors, samples, tmp_path / "changed.h5").record(0)
    plain, changed = (rfav_cli.open_store(tmp_path / f"{name}.h5") for name in ("plain", "changed"))
    assert_same(changed, plain)
    assert changed.run.layers == plain.run.layers


@pytest.mark.parametrize("block", [torch.inference_mode, lambda: torch.autocast("cpu", torch.bfloat16), torch.no_grad])
def test_nor_does_the_block_that_it_is_recorded_in(tmp_path, samples, block):
    model = nets.make(nets.Vectors, 2)
    monitor_of(model, nets.Vectors, samples, tmp_path / "plain.h5").record(0)
    with block():
        monitor_of(model, nets.Vectors, samples, tmp_path / "within.h5").record(0)
    assert_same(rfav_cli.open_store(tmp_path / "within.h5"), rfav_cli.open_store(tmp_path / "plain.h5"))


def test_lazy_layers_ask_for_a_batch(tmp_path, samples):
    model = nn.Sequential(nn.LazyLinear(12), nn.ReLU(), nn.Linear(12, 4))
    with pytest.raises(ModelError, match="lazy") as raised:
        monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5")
    assert "Run a batch" in raised.value.remedy
    model(torch.ones(1, 6))
    monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5").record(0)


def test_a_regularizer_on_the_net_sees_nothing_of_it(tmp_path, samples):
    model = nets.make(nets.Vectors, 2).train()
    regularizer = rfav_cli.TargetedRegularizer(model, {"fc1": (0.1, 0.5)})
    monitor = monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5")
    x = torch.randn(8, 6)
    model(x)
    expected = regularizer().item()
    model(x)
    monitor.record(0)
    assert regularizer().item() == expected


@pytest.mark.parametrize(("growth", "state"), [(1.5, "collapsed"), (1.0, "stable")])
def test_a_layer_whose_activations_grow_collapses_where_the_scores_do_as_well(tmp_path, samples, growth, state):
    """Larger scores raise the held-out loss of a net that knows nothing; without that, growth is no collapse."""
    model = nets.make(nets.Vectors, 0, scale=0.3)
    monitor = monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5")
    states = []
    for epoch in range(20):
        if epoch >= 8:
            with torch.no_grad():
                model.fc2.weight.mul_(2)
                model.fc3.weight.mul_(growth)
        verdict = monitor.record(epoch)
        assert verdict == rfav_cli.judge(tmp_path / "a.h5")
        states.append({layer.name: layer.state for layer in verdict.layers}["fc2"])
    assert states[7] == "stable"
    assert states[-1] == state
    assert "grew" in {layer.name: layer.evidence for layer in verdict.layers}["fc2"]
    assert {layer.name for layer in verdict.in_state("collapsed")} == ({"fc2"} if state == "collapsed" else set())


def test_the_store_can_be_read_meanwhile_and_is_packed_in_the_end(tmp_path, samples):
    model = nets.make(nets.Vectors, 0)
    store = tmp_path / "a.h5"
    with monitor_of(model, nets.Vectors, samples, store) as monitor:
        monitor.record(0)
        history = rfav_cli.open_store(store)
        assert not store.exists()
        assert [(c.epoch, c.path) for c in history.checkpoints] == [(0, "(live)")]
        assert history.checkpoints[0].sha256 == sha256_of(model.state_dict())
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
    monitor.close()
    steps(model, nets.Vectors)
    monitor.record(1)
    monitor.close()
    assert list(rfav_cli.open_store(store).epochs) == [0, 1]


def test_nothing_recorded_is_an_empty_store(tmp_path, samples):
    with monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "a.h5"):
        pass
    assert len(rfav_cli.open_store(tmp_path / "a.h5")) == 0


def test_a_run_is_continued(tmp_path, samples):
    model = nets.make(nets.Vectors, 0)
    store = tmp_path / "a.h5"
    with monitor_of(model, nets.Vectors, samples, store) as monitor:
        monitor.record(0)
    events = []
    monitor = monitor_of(copy.deepcopy(model), nets.Vectors, samples, store, report=events.append)
    events.clear()
    monitor.record(0)
    assert events == []  # it is there already
    steps(model, nets.Vectors)
    again = monitor_of(model, nets.Vectors, samples, store)
    with pytest.warns(UserWarning, match="epoch 0 was not recorded: .*holds another training, with no epoch before 0"):
        assert again.record(0) is None
    again.record(1)
    assert list(rfav_cli.open_store(store).epochs) == [0, 1]
    monitor_of(model, nets.Vectors, samples, store, fresh=True).record(0)
    assert list(rfav_cli.open_store(store).epochs) == [0]


def test_another_run_is_refused_before_it_begins(tmp_path, samples):
    monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "a.h5").close()
    for kind, options, words in (
        (nets.Vectors, {"with_bias": True}, "with_bias"),
        (nets.Vectors, {"probe_size": 8}, "8 samples"),
        (nets.Images, {}, "layers"),
    ):
        with pytest.raises(StoreError, match=words):
            monitor_of(nets.make(kind, 0), kind, samples, tmp_path / "a.h5", **options)


@pytest.mark.parametrize("probe", [None, "", 3])
def test_without_a_probe_there_is_a_clear_error(tmp_path, probe):
    with pytest.raises(UsageError, match=r"^probe .*: no .*path") as raised:
        rfav_cli.Monitor(nets.make(nets.Vectors, 0), probe, tmp_path / "a.h5")
    assert "cifar10:DIR" in raised.value.remedy


def test_a_probe_that_does_not_fit_leaves_no_store(tmp_path, samples):
    with pytest.raises(SampleError, match="does not run on samples of 3x11"):
        monitor_of(nets.make(nets.Vectors, 0), nets.Sequences, samples, tmp_path / "a.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", [None, nets.Vectors, "zoo:lenet", nn.Flatten()])
def test_what_is_no_net_is_refused(tmp_path, samples, model):
    with pytest.raises(ModelError):
        monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("epoch", [-2, 1.0, True, "1", None, 2**31])
def test_what_is_no_epoch_is_refused(tmp_path, samples, epoch):
    monitor = monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "a.h5")
    with pytest.raises(UsageError, match="out of range"):
        monitor.record(epoch)


def test_a_net_that_cannot_be_copied_asks_for_what_makes_it(tmp_path, samples):
    model = nets.make(nets.Vectors, 0)
    model.lock = threading.Lock()
    with pytest.raises(ModelError, match="cannot be copied") as raised:
        monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5")
    assert "make_model=" in raised.value.remedy
    monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5", make_model=nets.Vectors).record(0)
    monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "b.h5").record(0)
    assert_same(rfav_cli.open_store(tmp_path / "a.h5"), rfav_cli.open_store(tmp_path / "b.h5"))


def test_a_net_that_changed_its_shape_is_told(tmp_path, samples):
    model = nets.make(nets.Vectors, 0)
    monitor = monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5")
    model.fc2 = nn.Linear(24, 13)
    with pytest.warns(UserWarning, match=r"epoch 0 was not recorded: \(live\).*fc2"):
        assert monitor.record(0) is None
    raising = monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "b.h5", on_error="raise")
    raising._net._model.fc2 = nn.Linear(24, 13)
    with pytest.raises(CheckpointError, match=r"\(live\).*fc2"):
        raising.record(0)


@pytest.mark.parametrize("packed", [False, True])
def test_a_training_that_goes_on_from_an_earlier_epoch_is_recorded_from_there(tmp_path, samples, packed):
    model, store = nets.make(nets.Vectors, 0), tmp_path / "a.h5"
    monitor = monitor_of(model, nets.Vectors, samples, store)
    for epoch in range(4):
        monitor.record(epoch)
        steps(model, nets.Vectors, seed=epoch)
        if epoch == 1:
            kept = copy.deepcopy(model.state_dict())
    if packed:
        monitor.close()
    before = rfav_cli.open_store(store)
    losses = before.loss.copy()
    other = nets.make(nets.Vectors, 0)
    other.load_state_dict(kept)
    steps(other, nets.Vectors, seed=9)
    told = []
    with monitor_of(other, nets.Vectors, samples, store, report=told.append) as again:
        with pytest.warns(UserWarning, match="what .*a.h5 had of 2 to 3 is recorded anew"):
            again.record(2)
        assert list(rfav_cli.open_store(store).epochs) == [0, 1, 2]
        steps(other, nets.Vectors, seed=10)
        again.record(3)
    after = rfav_cli.open_store(store)
    assert list(after.epochs) == [0, 1, 2, 3]
    np.testing.assert_array_equal(after.loss[:2], losses[:2])
    assert (after.loss[2:] != losses[2:]).all()
    assert [checkpoint.sha256 for checkpoint in after.checkpoints][3] == sha256_of(other.state_dict())


def test_what_goes_wrong_with_an_epoch_ends_no_training(tmp_path, samples, monkeypatch):
    monitor = monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "a.h5")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rfav_cli.store.writer.StoreWriter.append", fail)
    with pytest.warns(UserWarning, match="rfav: epoch 0 was not recorded: OSError: .*No space left"):
        assert monitor.record(0) is None
    monkeypatch.setattr("rfav_cli.commands.monitor.pack", fail)
    with pytest.warns(UserWarning, match="rfav: the epochs were not put into one file"):
        monitor.close()
    with pytest.raises(UsageError, match="on_error='never'"):
        monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "b.h5", on_error="never")


def test_only_the_first_of_several_ranks_records(tmp_path, samples, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monitor = monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "a.h5")
    assert monitor.record(0) is None
    monitor.close()
    assert not (tmp_path / "a.h5").exists()
    assert not (tmp_path / "a.h5.d").exists()
    monkeypatch.setenv("RANK", "0")
    with monitor_of(nets.make(nets.Vectors, 0), nets.Vectors, samples, tmp_path / "a.h5") as first:
        assert first.record(0) is not None


def test_weights_that_are_not_finite_are_recorded(tmp_path, samples):
    model = nets.make(nets.Vectors, 0)
    model.fc2.weight.data[0] = torch.nan
    monitor_of(model, nets.Vectors, samples, tmp_path / "a.h5").record(0)
    assert rfav_cli.open_store(tmp_path / "a.h5").columns["nonfinite"][0, 1] > 0


def test_the_options_are_those_of_analyze():
    ours = inspect.signature(rfav_cli.Monitor).parameters
    theirs = inspect.signature(rfav_cli.analyze).parameters
    assert set(ours) - set(theirs) == {"store", "make_model", "on_error", "thresholds"}
    for name in set(ours) & set(theirs) - {"model", "probe"}:
        assert ours[name].default == theirs[name].default or name == "report", name
    assert ours["store"].default == theirs["out"].default


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_net_on_another_device_stays_there(tmp_path, samples):
    model = nets.make(nets.Images, 0).cuda()
    state = torch.cuda.get_rng_state()
    for device in ("cpu", "cuda"):
        monitor_of(model, nets.Images, samples, tmp_path / f"{device}.h5", device=device).record(0)
    assert {p.device.type for p in model.parameters()} == {"cuda"}
    assert torch.equal(torch.cuda.get_rng_state(), state)
    cpu, cuda = (rfav_cli.open_store(tmp_path / f"{device}.h5") for device in ("cpu", "cuda"))
    np.testing.assert_allclose(cpu.entropy, cuda.entropy, 1e-4)
