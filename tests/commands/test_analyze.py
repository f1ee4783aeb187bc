"""The whole job against the naive figures, and how a run is continued."""

from __future__ import annotations

import re
import shutil
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import h5py
import numpy as np
import pytest
import torch

import rfav_cli
from rfav_cli.data.probe import load_probe
from rfav_cli.errors import ModelError, RfavError, RunError, SampleError, StoreError
from rfav_cli.measure import checkpoint as measure
from rfav_cli.records import BadCheckpoint, Measurement, Note, Progress, Subject
from tests import twins
from tests.commands import nets

LAYOUT = {nets.Images: "nchw", nets.Sequences: "nct", nets.Vectors: "nf"}
CASES = [(net, kind) for net in nets.SHAPES for kind in ("eager", "scripted", "traced", "exported")]


def run(folder, probe, out, net, kind="eager", **options):
    """Measure a series with the options that its net needs."""
    options = {"layout": LAYOUT[net], "probe_size": 1000, **options}
    return rfav_cli.analyze(folder, probe=probe, out=out, model=net if kind == "eager" else None, **options)


def expected(net, probe_path, epoch, with_bias):
    probe = load_probe(str(probe_path), options=rfav_options(net))
    samples = torch.from_numpy(np.asarray(probe.inputs))
    return twins.figures(nets.make(net, epoch), samples, with_bias=with_bias)


def rfav_options(net):
    from rfav_cli.data.sources import SampleOptions

    return SampleOptions(layout=LAYOUT[net])


@pytest.mark.parametrize(("net", "kind"), CASES)
@pytest.mark.parametrize("with_bias", [False, True])
def test_every_figure_is_that_of_the_naive_definition(tmp_path, series, samples, net, kind, with_bias):
    probe = samples(net)
    options = {"with_bias": with_bias, "maps": "all", "batch_size": 7, "no_fold_norm": True}
    history = run(series(net, kind), probe, tmp_path / "a.h5", net, kind, **options)
    assert list(history.epochs) == [0, 1]
    for row, epoch in enumerate(history.epochs):
        twin = expected(net, probe, int(epoch), with_bias)
        names = list(twin)[:-1]
        assert [layer.name for layer in history.run.layers] == names
        for index, (layer, name) in enumerate(zip(history.run.layers, names, strict=True)):
            figures = twin[name]
            assert 0 <= figures["entropy/mean"] <= layer.max_entropy
            for column in (
                "entropy/mean",
                "entropy/std",
                "entropy/sample_mean",
                "correlation/mean",
                "correlation/abs_mean",
            ):
                np.testing.assert_allclose(
                    history.columns[column][row, index], figures[column], 1e-5, 1e-6, err_msg=column
                )
            np.testing.assert_array_equal(
                history.columns["correlation/histogram"][row, index], figures["correlation/histogram"]
            )
            np.testing.assert_allclose(
                history.columns[f"entropy/mean_map/{index}"][row], figures["mean_map"], 1e-5, 1e-6
            )
            np.testing.assert_allclose(history.columns[f"entropy/map/{index}"][row], figures["map"], 2e-3, 1e-3)


@pytest.mark.parametrize(("net", "kind"), CASES)
def test_figures_do_not_depend_on_the_batch_size(tmp_path, series, samples, net, kind):
    folder, probe = series(net, kind), samples(net)
    one, other = (run(folder, probe, tmp_path / f"{size}.h5", net, kind, batch_size=size) for size in (1, 1000))
    for name, column in one.columns.items():
        tolerance = 2e-3 if column.dtype == np.float16 else 1e-5
        np.testing.assert_allclose(column[:], other.columns[name][:], tolerance, 1e-6, err_msg=name)


@pytest.mark.parametrize(("net", "kind"), CASES)
def test_loss_and_accuracy_are_those_of_the_net(tmp_path, series, samples, net, kind):
    path = samples(net)
    history = run(series(net, kind), path, tmp_path / "a.h5", net, kind)
    probe = load_probe(str(path), options=rfav_options(net))
    with torch.no_grad():
        scores = nets.make(net, 1).double()(torch.from_numpy(np.asarray(probe.inputs)).double())
    labels = torch.from_numpy(probe.labels)
    losses = torch.nn.functional.cross_entropy(scores, labels, reduction="none").numpy()
    np.testing.assert_allclose(history.columns["probe/sample_loss"][1], losses, 1e-4, 1e-5)
    assert history.loss[1] == pytest.approx(losses.mean(), rel=1e-5)
    assert history.accuracy[1] == pytest.approx((scores.argmax(1) == labels).double().mean())


@pytest.mark.parametrize(("net", "kind"), CASES)
def test_what_the_net_says_of_each_sample_is_known_without_labels(tmp_path, series, samples, net, kind):
    labelled = samples(net)
    np.savez(tmp_path / "probe.npz", images=np.load(labelled)["images"])
    known = run(series(net, kind), labelled, tmp_path / "known.h5", net, kind)
    history = run(series(net, kind), tmp_path / "probe.npz", tmp_path / "a.h5", net, kind, batch_size=7)
    assert np.isnan(history.loss).all()
    for row, (given, path) in enumerate([(known, labelled), (history, tmp_path / "probe.npz")]):
        images = torch.from_numpy(np.asarray(load_probe(str(path), options=rfav_options(net)).inputs))
        with torch.no_grad():
            probabilities = nets.make(net, row).double()(images.double()).softmax(1).numpy()
        predictions, confidences = (given.columns[f"probe/sample_{name}"] for name in ("prediction", "confidence"))
        assert (predictions.dtype, confidences.dtype) == (np.int32, np.float32)
        np.testing.assert_array_equal(predictions[row], probabilities.argmax(1))
        np.testing.assert_allclose(confidences[row], probabilities.max(1), 1e-4)
    right = known.columns["probe/sample_prediction"][:] == known.run.probe.labels
    np.testing.assert_allclose(known.accuracy, right.mean(1))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("net", "kind"), CASES)
def test_cuda_gives_the_figures_of_the_cpu(tmp_path, series, samples, net, kind):
    folder, probe = series(net, kind), samples(net)
    cpu, cuda = (run(folder, probe, tmp_path / f"{device}.h5", net, kind, device=device) for device in ("cpu", "cuda"))
    for name in ("entropy/mean", "entropy/std", "probe/loss", "correlation/mean"):
        np.testing.assert_allclose(cpu.columns[name][:], cuda.columns[name][:], 1e-4, 1e-6, err_msg=name)


def test_folding_the_norm_measures_after_it(tmp_path, series, samples):
    path = samples(nets.Images)
    history = run(series(nets.Images, "eager"), path, tmp_path / "a.h5", nets.Images)
    script = run(series(nets.Images, "scripted"), path, tmp_path / "b.h5", nets.Images, "scripted")
    np.testing.assert_allclose(history.entropy, script.entropy, 1e-5)
    net = nets.make(nets.Images, 0)
    scale = (net.norm.weight / (net.norm.running_var + net.norm.eps).sqrt()).detach().double().numpy()
    probe = load_probe(str(path), options=rfav_options(nets.Images))
    (stem,) = twins.activations(net, torch.from_numpy(np.asarray(probe.inputs)))["stem"]
    assert history.entropy[0, 0] == pytest.approx(twins.entropy(stem * scale).mean(), rel=1e-5)
    rows = twins.filters(net.stem)[0] * scale[:, None]
    assert history.columns["correlation/mean"][0, 0] == pytest.approx(twins.correlations([rows]).mean(), rel=1e-5)


def test_a_frozen_archive_has_its_norms_folded_in_and_its_layers_numbered(tmp_path, series, samples):
    path = samples(nets.Images)
    frozen = run(series(nets.Images, "frozen"), path, tmp_path / "a.h5", nets.Images, "frozen")
    eager = run(series(nets.Images, "eager"), path, tmp_path / "b.h5", nets.Images)
    assert [layer.name for layer in frozen.run.layers][:2] == ["conv2d_1", "conv2d_2"]
    np.testing.assert_allclose(frozen.entropy, eager.entropy, 1e-5)
    np.testing.assert_allclose(frozen.loss, eager.loss, 1e-5)


def test_extreme_weights_stay_within_the_range(tmp_path, samples):
    torch.save(nets.make(nets.Images, 0, scale=1e4).state_dict(), tmp_path / "epoch_0.pt")
    history = run(tmp_path / "epoch_0.pt", samples(nets.Images), tmp_path / "a.h5", nets.Images)
    limits = [layer.max_entropy for layer in history.run.layers]
    for name in ("entropy/mean", "entropy/sample_mean"):
        values = history.columns[name][0].reshape(len(limits), -1)
        assert (values >= 0).all()
        assert (values <= np.array(limits)[:, None]).all()


def test_weights_that_are_not_finite_are_told_by_layer_and_epoch(tmp_path, samples):
    for epoch in range(2):
        net = nets.make(nets.Vectors, epoch)
        if epoch:
            net.fc2.weight.data[0, 0] = torch.nan
        torch.save(net.state_dict(), tmp_path / f"epoch_{epoch}.pt")
    history = run(tmp_path, samples(nets.Vectors), tmp_path / "a.h5", nets.Vectors)
    np.testing.assert_array_equal(history.columns["nonfinite"][:], [[0, 0], [0, 24]])
    assert np.isnan(history.entropy[1, 1])
    assert np.isfinite(history.entropy[1, 0])


class Recorder:
    """Keeps the events of a run."""

    def __init__(self):
        self.events = []

    def __call__(self, event):
        self.events.append(event)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def copied(tmp_path, series):
    """A series of three epochs that a test may change."""
    folder = tmp_path / "run"
    shutil.copytree(series(nets.Vectors, "eager", 3), folder)
    return folder


def test_a_run_is_continued_and_what_is_there_is_not_measured_again(tmp_path, copied, samples):
    probe, out = samples(nets.Vectors), tmp_path / "a.h5"
    whole = run(copied, probe, tmp_path / "whole.h5", nets.Vectors)
    last = (copied / "epoch_2.pt").read_bytes()
    (copied / "epoch_2.pt").unlink()
    run(copied, probe, out, nets.Vectors)
    (copied / "epoch_2.pt").write_bytes(last)
    recorder = Recorder()
    history = run(copied, probe, out, nets.Vectors, report=recorder)
    assert [event.checkpoint.epoch for event in recorder.of(Measurement)] == [2]
    assert recorder.of(Progress)[0] == Progress(str(copied / "epoch_2.pt"), 2, 3, 0, 24)
    for name, column in whole.columns.items():
        np.testing.assert_array_equal(history.columns[name][:], column[:], err_msg=name)


def test_a_checkpoint_that_changed_asks_for_fresh(tmp_path, copied, samples):
    probe, out = samples(nets.Vectors), tmp_path / "a.h5"
    run(copied, probe, out, nets.Vectors)
    torch.save(nets.make(nets.Vectors, 77).state_dict(), copied / "epoch_1.pt")
    with pytest.raises(StoreError, match=r"epoch_1\.pt.*another file") as raised:
        run(copied, probe, out, nets.Vectors)
    assert "--fresh" in raised.value.remedy
    history = run(copied, probe, out, nets.Vectors, fresh=True)
    assert len(history) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"with_bias": True}, "with_bias"),
        ({"centering": "paper"}, "centering"),
        ({"skip": ["fc1"]}, "layer"),
        ({"probe_size": 8}, "8 samples"),
    ],
)
def test_other_settings_are_named(tmp_path, copied, samples, options, words):
    run(copied, samples(nets.Vectors), tmp_path / "a.h5", nets.Vectors)
    with pytest.raises(StoreError, match=words) as raised:
        run(copied, samples(nets.Vectors), tmp_path / "a.h5", nets.Vectors, **options)
    assert "--fresh" in raised.value.remedy


def test_shards_fill_one_store(tmp_path, copied, samples):
    probe, out = samples(nets.Vectors), tmp_path / "a.h5"
    whole = run(copied, probe, tmp_path / "whole.h5", nets.Vectors)
    assert list(run(copied, probe, out, nets.Vectors, shard="2/2").epochs) == [1]
    assert not out.exists()
    run(copied, probe, out, nets.Vectors, shard="1/2")
    packed = rfav_cli.pack(out)
    for name, column in whole.columns.items():
        np.testing.assert_array_equal(packed.columns[name][:], column[:], err_msg=name)


def test_a_run_that_is_asked_to_stop_keeps_what_it_has(tmp_path, copied, samples):
    recorder = Recorder()
    history = run(
        copied,
        samples(nets.Vectors),
        tmp_path / "a.h5",
        nets.Vectors,
        report=recorder,
        should_stop=lambda: len(recorder.of(Measurement)) == 2,
    )
    assert list(history.epochs) == [0, 1]


def test_a_bad_file_stops_the_run_or_is_recorded(tmp_path, copied, samples):
    probe, out = samples(nets.Vectors), tmp_path / "a.h5"
    torch.save(nets.make(nets.Images, 0).state_dict(), copied / "epoch_1.pt")
    with pytest.raises(RfavError, match=r"epoch_1\.pt"):
        run(copied, probe, out, nets.Vectors)
    assert list(rfav_cli.open_store(out).epochs) == [0]
    recorder = Recorder()
    history = run(copied, probe, out, nets.Vectors, skip_bad=True, report=recorder)
    assert list(history.epochs) == [0, 2]
    assert [bad.path for bad in history.bad] == [str(copied / "epoch_1.pt")]
    assert recorder.of(BadCheckpoint) == list(history.bad)


def test_when_no_file_can_be_used_that_is_an_error(tmp_path, samples):
    torch.save(nets.make(nets.Images, 0).state_dict(), tmp_path / "epoch_1.pt")
    with pytest.raises(RunError, match="none of the 1 checkpoints"):
        run(tmp_path, samples(nets.Vectors), tmp_path / "a.h5", nets.Vectors, skip_bad=True)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("no"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_the_batch_is_halved_where_memory_does_not_suffice(tmp_path, copied, samples, monkeypatch, error):
    whole = run(copied, samples(nets.Vectors), tmp_path / "whole.h5", nets.Vectors)
    entropy_of = measure.position_entropy

    def greedy(values, *others):
        if len(values) > 6:
            raise error
        return entropy_of(values, *others)

    monkeypatch.setattr(measure, "position_entropy", greedy)
    recorder = Recorder()
    history = run(copied, samples(nets.Vectors), tmp_path / "a.h5", nets.Vectors, report=recorder)
    halved = [note.text for note in recorder.of(Note) if "memory" in note.text]
    assert halved == [f"out of memory: going on with {size} samples a batch" for size in (50, 25, 12, 6)]
    np.testing.assert_allclose(history.entropy, whole.entropy, 1e-6)
    with pytest.raises(ModelError, match="--batch-size 24"):
        run(copied, samples(nets.Vectors), tmp_path / "b.h5", nets.Vectors, batch_size=24)


OUTPUTS = {"probe/sample_prediction", "probe/sample_confidence", "probe/confidence"}


@pytest.fixture
def vectors(tmp_path):
    """A probe without labels for `nets.Vectors`."""
    np.save(tmp_path / "probe.npy", np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32))
    return tmp_path / "probe.npy"


AT_SET_UP = 8
"""Small forwards before the first checkpoint: the trace, five that examine the net, two looks at its output."""


def watched(answer=lambda scores: scores):
    """A net that counts how often a forward came behind the last layer that is measured."""

    class Watched(nets.Vectors):
        reached = 0

        def forward(self, x):
            x = torch.tanh(self.fc2(torch.tanh(self.fc1(x))))
            scores = self.fc3(x)
            Watched.reached += 1
            return answer(scores)

    return Watched


def test_the_forward_ends_after_the_last_layer_when_no_output_is_wanted(tmp_path, copied, vectors):
    whole = run(copied, vectors, tmp_path / "whole.h5", nets.Vectors)
    net, recorder = watched(), Recorder()
    history = rfav_cli.analyze(
        copied, probe=vectors, model=net, out=tmp_path / "a.h5", layout="nf", no_outputs=True, report=recorder
    )
    assert net.reached <= AT_SET_UP
    assert not history.run.settings.outputs
    assert not any("predictions" in note.text for note in recorder.of(Note))
    assert set(whole.columns) - set(history.columns) == OUTPUTS
    np.testing.assert_array_equal(history.entropy, whole.entropy)
    assert np.isnan(history.loss).all()


def test_with_labels_the_output_is_always_wanted(tmp_path, copied, samples):
    probe = samples(nets.Vectors)
    history = run(copied, probe, tmp_path / "a.h5", nets.Vectors, no_outputs=True)
    assert history.run.settings.outputs
    assert np.isfinite(history.loss).all()
    assert set(history.columns) >= OUTPUTS
    assert len(run(copied, probe, tmp_path / "a.h5", nets.Vectors)) == 3  # goes on: the settings are the same


@pytest.mark.parametrize(
    ("answer", "output", "words"),
    [
        (lambda scores: None, None, "no tensor"),
        (lambda scores: {"text": "cat"}, None, "no tensor"),
        (lambda scores: {"logits": scores}, "aux", "'aux'"),
        (lambda scores: scores[:, :, None], None, r"float32 \(4, 4, 1\), is no row of class scores"),
        (lambda scores: scores[:, :1], None, r"float32 \(4, 1\), is no row of class scores"),
        (lambda scores: scores.argmax(1), None, r"int64 \(4,\), is no row of class scores"),
        (lambda scores: [scores[0], scores[1]], None, r"float32 \(4,\), is no row of class scores"),
    ],
)
def test_a_net_without_class_scores_is_measured_without_labels(tmp_path, copied, vectors, answer, output, words):
    net, recorder = watched(answer), Recorder()
    history = rfav_cli.analyze(
        copied, probe=vectors, model=net, out=tmp_path / "a.h5", layout="nf", output=output, report=recorder
    )
    assert net.reached <= AT_SET_UP
    assert any(re.search(words, note.text) for note in recorder.of(Note))
    assert not OUTPUTS & set(history.columns)
    assert np.isfinite(history.entropy).all()


@dataclass
class Prediction:
    hidden: torch.Tensor
    y_hat: torch.Tensor


Named = namedtuple("Named", "features scores")

SEVERAL = {
    "a dictionary": lambda hidden, scores: {"features": hidden, "logits": scores},
    "a dictionary in order, with a loss": lambda hidden, scores: OrderedDict(loss=scores.mean(), h=hidden, out=scores),
    "a dataclass": Prediction,
    "a named tuple": Named,
    "a tuple, the scores last": lambda hidden, scores: (hidden, scores),
    "a tuple, the scores first": lambda hidden, scores: (scores, hidden),
    "nested": lambda hidden, scores: {"embedding": hidden, "heads": [{"aux_logits": 2 * scores, "logits": scores}]},
    "probabilities beside": lambda hidden, scores: (scores.softmax(1), scores, scores.argmax(1)),
    "a state beside": lambda hidden, scores: (scores, (hidden[None], hidden[None])),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_the_loss_is_that_of_the_scores_in_float64_whatever_is_beside_them(tmp_path, copied, samples, name):
    class Several(nets.Vectors):
        def forward(self, x):
            hidden = torch.tanh(self.fc2(torch.tanh(self.fc1(x))))
            return SEVERAL[name](hidden, self.fc3(hidden))

    probe = samples(nets.Vectors)
    history = rfav_cli.analyze(copied, probe=probe, model=Several, out=tmp_path / "a.h5", layout="nf")
    loaded = load_probe(str(probe), options=rfav_options(nets.Vectors))
    values, labels = torch.from_numpy(np.asarray(loaded.inputs)).double(), torch.from_numpy(loaded.labels)
    with torch.no_grad():
        losses = [
            float(torch.nn.functional.cross_entropy(nets.make(nets.Vectors, int(epoch)).double()(values), labels))
            for epoch in history.epochs
        ]
    np.testing.assert_allclose(history.loss, losses, 1e-5)
    assert [layer.name for layer in history.run.layers] == ["fc1", "fc2"]
    assert [(layer.name, layer.reason) for layer in history.run.skipped] == [("fc3", "classifier")]
    assert open_doubts(tmp_path / "a.h5") == []


def open_doubts(store):
    return [doubt for doubt in rfav_cli.open_store(store).doubts if doubt.kind == "output"]


def test_two_heads_of_one_width_are_refused_with_labels_and_in_doubt_without(tmp_path, copied, samples, vectors):
    class Heads(nets.Vectors):
        def forward(self, x):
            scores = super().forward(x)
            return scores, 2 * scores

    with pytest.raises(ModelError, match=r"0: 4x4, 1: 4x4.*fit as the class scores"):
        rfav_cli.analyze(copied, probe=samples(nets.Vectors), model=Heads, out=tmp_path / "a.h5", layout="nf")
    assert not list(tmp_path.glob("a.h5*"))
    rfav_cli.analyze(copied, probe=vectors, model=Heads, out=tmp_path / "a.h5", layout="nf")
    (doubt,) = open_doubts(tmp_path / "a.h5")
    assert "0 was taken" in doubt.words
    rfav_cli.analyze(copied, probe=vectors, model=Heads, out=tmp_path / "b.h5", layout="nf", output="1")
    assert open_doubts(tmp_path / "b.h5") == []


def test_a_store_says_which_output_was_found_and_goes_on_with_no_other(tmp_path, copied, samples):
    class Late(nets.Vectors):
        def forward(self, x):
            scores = super().forward(x)
            return {"x": -scores, "logits": scores}

    def go(**options):
        return rfav_cli.analyze(
            copied, probe=samples(nets.Vectors), model=Late, out=tmp_path / "a.h5", layout="nf", **options
        )

    assert go().run.settings.output == "logits"
    assert len(go(output="logits")) == 3
    with pytest.raises(StoreError, match="output: logits / x"):
        go(output="x")


@pytest.fixture
def training(tmp_path):
    """Training samples for `nets.Vectors`, with labels."""
    values = np.random.default_rng(8).normal(size=(10, 6)).astype(np.float32)
    np.savez(tmp_path / "train.npz", images=values, labels=np.arange(10) % 4)
    return tmp_path / "train.npz"


def test_the_confidence_on_training_samples_is_measured_beside_the_probe(tmp_path, copied, samples, training):
    probe, recorder = samples(nets.Vectors), Recorder()
    without = run(copied, probe, tmp_path / "without.h5", nets.Vectors)
    history = run(copied, probe, tmp_path / "a.h5", nets.Vectors, train_probe=training, report=recorder)
    for name, column in without.columns.items():
        np.testing.assert_array_equal(history.columns[name][:], column[:], err_msg=name)
    taken = load_probe(str(training), options=rfav_options(nets.Vectors))
    record = history.run.train_probe
    assert (record.sha256, record.size, record.source) == (taken.sha256, 10, str(training))
    for epoch in range(3):
        scores = nets.make(nets.Vectors, epoch)(torch.from_numpy(taken.inputs[:])).detach().double()
        confidences = scores.softmax(1).amax(1).numpy()
        np.testing.assert_allclose(history.columns["train/sample_confidence"][epoch], confidences, 1e-5)
        assert history.train_confidence[epoch] == pytest.approx(confidences.mean(), rel=1e-5)
        losses = torch.nn.functional.cross_entropy(scores, torch.from_numpy(taken.labels))
        assert history.columns["train/loss"][epoch] == pytest.approx(losses.item(), rel=1e-5)
    (subject,) = recorder.of(Subject)
    assert (subject.train_probe, subject.train_samples) == (str(training), 10)
    assert any("took all 10 samples" in note.text for note in recorder.of(Note))


def test_a_run_goes_on_with_its_training_samples_and_with_no_others(tmp_path, copied, samples, training):
    probe, out = samples(nets.Vectors), tmp_path / "a.h5"
    last = (copied / "epoch_2.pt").read_bytes()
    (copied / "epoch_2.pt").unlink()
    run(copied, probe, out, nets.Vectors, train_probe=training)
    (copied / "epoch_2.pt").write_bytes(last)
    history = run(copied, probe, out, nets.Vectors, train_probe=training)
    assert np.isfinite(history.train_confidence).tolist() == [True] * 3
    with pytest.raises(StoreError, match=r"train_probe: 10 samples of .* / none"):
        run(copied, probe, out, nets.Vectors)
    assert run(copied, probe, out, nets.Vectors, fresh=True).run.train_probe is None
    with pytest.raises(StoreError, match="train_probe: none / 10 samples of"):
        run(copied, probe, out, nets.Vectors, train_probe=training)


def test_a_probe_of_training_samples_is_refused_or_doubted(tmp_path, copied, samples, training):
    probe, out = samples(nets.Vectors), tmp_path / "a.h5"
    with pytest.raises(SampleError, match="hold all 24 of the probe"):
        run(copied, probe, out, nets.Vectors, train_probe=probe)
    assert not out.exists()
    with np.load(probe) as held_out, np.load(training) as trained:
        values = np.concatenate([held_out["images"][:3], trained["images"]])
    np.save(tmp_path / "mixed.npy", values)
    history = run(copied, probe, out, nets.Vectors, train_probe=tmp_path / "mixed.npy")
    (doubt,) = (doubt for doubt in rfav_cli.judge(history).doubts if doubt.kind == "training")
    assert doubt.words.startswith("3 of 24 held-out samples are among the 13 training samples")
    report = rfav_cli.check([out])
    assert "RFAV209" in {finding.rule for finding in report.findings}
    assert report.code == 2


def test_an_analysis_ends_with_what_it_looked_at(tmp_path, copied, samples):
    recorder = Recorder()
    run(copied, samples(nets.Vectors), tmp_path / "a.h5", nets.Vectors, report=recorder)
    (subject,) = recorder.of(Subject)
    assert recorder.events[-1] is subject
    assert (subject.samples, subject.classes, subject.layers, subject.classifier) == (24, 4, ("fc1", "fc2"), "fc3")
    assert (subject.output, subject.output_shape, subject.reads_output, subject.mean) == ("", (4,), True, None)


def test_which_of_several_outputs_is_chosen_without_labels_too(tmp_path, copied, vectors):
    plain = run(copied, vectors, tmp_path / "plain.h5", nets.Vectors)
    history = rfav_cli.analyze(
        copied,
        probe=vectors,
        model=watched(lambda scores: {"hidden": -scores, "logits": scores}),
        out=tmp_path / "a.h5",
        layout="nf",
        output="logits",
    )
    for name in OUTPUTS:
        np.testing.assert_array_equal(history.columns[name][:], plain.columns[name][:], err_msg=name)


def test_a_store_of_before_there_were_outputs_is_continued(tmp_path, copied, vectors):
    out = tmp_path / "a.h5"
    whole = run(copied, vectors, tmp_path / "whole.h5", nets.Vectors)
    last = (copied / "epoch_2.pt").read_bytes()
    (copied / "epoch_2.pt").unlink()
    run(copied, vectors, out, nets.Vectors, no_outputs=True)
    with h5py.File(out, "a") as file:
        del file.attrs["outputs"]
    (copied / "epoch_2.pt").write_bytes(last)
    history = run(copied, vectors, out, nets.Vectors)
    np.testing.assert_array_equal(history.entropy, whole.entropy)
    for name in OUTPUTS:
        column = history.columns[name]
        assert column.dtype.kind == "f"
        assert np.isnan(column[:2]).all()
        np.testing.assert_array_equal(column[2], whole.columns[name][2])


def test_labels_beyond_the_outputs_are_an_error_before_any_work(tmp_path, copied):
    np.savez(tmp_path / "probe.npz", images=np.zeros((5, 6), np.float32), labels=np.arange(5))
    with pytest.raises(SampleError, match="4"):
        run(copied, tmp_path / "probe.npz", tmp_path / "a.h5", nets.Vectors)
    assert not list(tmp_path.glob("a.h5*"))


@pytest.mark.parametrize("place", ["missing/a.h5", "run", "run/note.txt"])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_place_where_no_store_can_be_is_an_error_before_anything_is_opened(tmp_path, place, fresh):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "note.txt").write_text("not a store")
    with pytest.raises(StoreError, match="--out"):
        rfav_cli.analyze(tmp_path / "none", probe=tmp_path / "neither", out=tmp_path / place, fresh=fresh)
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "note.txt"]


def test_a_probe_that_does_not_fit_is_an_error_before_any_work(tmp_path, copied):
    np.savez(tmp_path / "probe.npz", images=np.zeros((5, 7), np.float32))
    with pytest.raises(SampleError, match="7"):
        run(copied, tmp_path / "probe.npz", tmp_path / "a.h5", nets.Vectors)
    assert not list(tmp_path.glob("a.h5*"))


def test_a_layer_that_some_checkpoint_does_not_reach_is_told(tmp_path, samples):
    class Moody(nets.Vectors):
        def forward(self, x):
            hidden = torch.tanh(self.fc1(x))
            return self.fc3(torch.tanh(self.fc2(hidden)) if self.fc1.bias[0] < 50 else hidden[:, :12])

    for epoch in range(2):
        net = nets.make(nets.Vectors, epoch)
        net.fc1.bias.data[0] = 100.0 * epoch
        torch.save(net.state_dict(), tmp_path / f"epoch_{epoch}.pt")
    with pytest.raises(RfavError, match=r"epoch_1\.pt.*fc2"):
        rfav_cli.analyze(tmp_path, probe=samples(nets.Vectors), model=Moody, out=tmp_path / "a.h5", layout="nf")


def test_no_such_device_is_an_error(tmp_path, copied, samples):
    with pytest.raises(ModelError, match="--device abacus"):
        run(copied, samples(nets.Vectors), tmp_path / "a.h5", nets.Vectors, device="abacus")


class Homogeneous(torch.nn.Module):
    """A net of convolutions and dense layers with ReLUs, normalised or not."""

    def __init__(self, norm: str = "") -> None:
        super().__init__()
        self.conv1, self.conv2 = torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 12, 3)
        self.fc1, self.fc2 = torch.nn.Linear(12, 16), torch.nn.Linear(16, 4)
        self.norm1, self.norm2 = (torch.nn.BatchNorm2d(n) if norm else torch.nn.Identity() for n in (8, 12))

    def forward(self, x):
        x = self.norm1(self.conv1(x)).relu()
        x = self.norm2(self.conv2(x)).relu().mean((2, 3))
        return self.fc2(self.fc1(x).relu())


def drawn(norm: str, seed: int) -> Homogeneous:
    torch.manual_seed(seed)
    net = Homogeneous(norm).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 2)
                module.bias.normal_()
    return net


def rescale(net: Homogeneous, factors: dict[str, torch.Tensor], norm: str) -> None:
    """Make each neuron's activation so many times as large, and what takes it so many times less sensitive."""
    following = {"conv1": net.conv2, "conv2": net.fc1, "fc1": net.fc2}
    for name, factor in factors.items():
        made_by = net.get_submodule(f"norm{name[-1]}" if norm and name != "fc1" else name)
        made_by.weight.mul_(factor.view(-1, *[1] * (made_by.weight.ndim - 1)))
        made_by.bias.mul_(factor)
        taken_by = following[name].weight
        taken_by.div_(factor.view(1, -1, *[1] * (taken_by.ndim - 2)))


def rescale_before_the_norm(net: Homogeneous) -> None:
    """Make the convolutions' weights ten times as large, which a normalisation in training takes back."""
    for conv, norm in ((net.conv1, net.norm1), (net.conv2, net.norm2)):
        conv.weight.mul_(10)
        conv.bias.mul_(10)
        norm.running_mean.mul_(10)
        norm.running_var.add_(norm.eps).mul_(100).sub_(norm.eps)


@pytest.mark.parametrize("norm", ["", "after", "before"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scale_shape_and_rank_are_of_the_function_and_not_of_its_weights(tmp_path, samples, norm, seed):
    generator = torch.Generator().manual_seed(seed)
    sizes = {"conv1": 8, "conv2": 12, "fc1": 16}
    factors = {name: torch.empty(n).uniform_(-3, 3, generator=generator).exp() for name, n in sizes.items()}
    for name, chosen in (("plain", {}), ("rescaled", factors)):
        net = drawn(norm, seed)
        with torch.no_grad():
            rescale(net, chosen, norm)
            if norm == "before" and chosen:
                rescale_before_the_norm(net)
        (tmp_path / name).mkdir()
        torch.save(net.state_dict(), tmp_path / name / "epoch_0.pt")
    plain, other = (
        rfav_cli.analyze(
            tmp_path / name,
            probe=samples(nets.Images),
            out=tmp_path / f"{name}.h5",
            model=lambda: Homogeneous(norm),
            layout="nchw",
        )
        for name in ("plain", "rescaled")
    )
    np.testing.assert_allclose(other.loss, plain.loss, 1e-4)
    np.testing.assert_allclose(other.shape, plain.shape, 1e-4)
    np.testing.assert_allclose(other.rank, plain.rank, 1e-3)
    assert np.abs(other.entropy - plain.entropy).max() > 0.1  # which is of the weights
    for index, name in enumerate(sizes):
        growth = (other.scale / plain.scale)[0, index]
        logs = factors[name].log().numpy()
        assert logs.min() < np.log(growth) < logs.max()
        if plain.dead[0, index] == 0:
            assert growth == pytest.approx(np.exp(logs.mean()), rel=1e-3)
