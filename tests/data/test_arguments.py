"""Arrays of a file to the arguments of a net: what is measured is held against float64 and the net called by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import rfav_cli
from rfav_cli.data.arguments import fit_arguments, other_readings
from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.errors import SampleError
from rfav_cli.inputs import Arguments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

N, T, CLASSES = 14, 6, 3
RNG = np.random.default_rng(5)
LABELS = np.arange(N) % CLASSES
IDS = RNG.integers(1, 20, (N, T))
LENGTHS = np.arange(N) % (T - 2) + 3
TOKENS = np.arange(T) < LENGTHS[:, None]
PIXELS = RNG.integers(0, 256, (N, 8, 8, 3), dtype=np.uint8)
META = RNG.normal(size=(N, 4)).astype(np.float32)
AGE = RNG.integers(0, 90, N)


class Text(nn.Module):
    """Padding is left out of the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.inner, self.head = nn.Embedding(20, 5), nn.Linear(5, 7), nn.Linear(7, CLASSES)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = torch.relu(self.inner(self.words(input_ids)))
        weights = attention_mask.to(hidden.dtype).unsqueeze(2)
        return self.head((hidden * weights).sum(1) / weights.sum(1))


class Bag(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.inner, self.head = nn.Embedding(256, 5), nn.Linear(5, 7), nn.Linear(7, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.inner(self.words(x))).mean(1))


class Patient(nn.Module):
    """An image, figures and a whole number, which stands for one of 90 rows or is a figure itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.side, self.ages = nn.Conv2d(3, 4, 3), nn.Linear(4, 6), nn.Embedding(90, 6)
        self.mix, self.head = nn.Linear(4, 6), nn.Linear(6, CLASSES)

    def forward(self, image: Tensor, meta: Tensor, age: Tensor) -> Tensor:
        seen = self.mix(torch.relu(self.conv(image)).mean((2, 3)))
        return self.head(torch.relu(seen + self.side(meta) + self.ages(age)))


class Film(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv3d(3, 5, (2, 3, 3)), nn.Linear(5, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).mean((2, 3, 4)))


class Steps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(4, 6, batch_first=True), nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


class Masked(nn.Module):
    """An encoder of torch's, which takes True for padding."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 1), nn.Linear(8, CLASSES)

    def forward(self, src: Tensor, src_key_padding_mask: Tensor) -> Tensor:
        return self.head(self.encoder(self.words(src), src_key_padding_mask=src_key_padding_mask)[:, 0])


def measured(
    folder: Path, make: Callable[[], nn.Module], arrays: dict[str, NDArray[Any]], save: Any = None, **options: Any
) -> tuple[nn.Module, dict[str, NDArray[Any]], list[str]]:
    """A net, the columns of the store that analyze made of it and its arrays, and what it said."""
    torch.manual_seed(0)
    net = make().eval()
    path = folder / "epoch_0.pt"
    torch.save(net.state_dict(), path) if save is None else save(net, path)
    np.savez(folder / "probe.npz", labels=LABELS, **arrays)
    said: list[str] = []
    if save is None:
        options["model"] = make
    rfav_cli.analyze(
        str(path),
        probe=str(folder / "probe.npz"),
        out=str(folder / "rfav.h5"),
        report=lambda event: said.append(str(event)),
        **options,
    )
    with h5py.File(folder / "rfav.h5") as store:
        columns = {}
        store.visititems(
            lambda name, item: columns.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
        )
        columns["names"] = np.array([name.decode() for name in store["layer/name"][:]])
        columns["head"] = dict(store.attrs)
    return net.double(), columns, said


def check_loss(columns: dict[str, NDArray[Any]], scores: Tensor) -> None:
    order = columns["probe/label"]
    assert sorted(order) == sorted(LABELS)
    expected = float(cross_entropy(scores.detach(), torch.from_numpy(LABELS)))
    assert columns["probe/loss"][0] == pytest.approx(expected, rel=1e-5)


def tensors(**arrays: NDArray[Any]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.bool_, np.float64])
def test_padding_is_left_out_as_in_float64(dtype: type, tmp_path: Path) -> None:
    arrays = {"input_ids": IDS * TOKENS, "attention_mask": TOKENS.astype(dtype)}
    net, columns, said = measured(tmp_path, Text, arrays)
    check_loss(columns, net(**tensors(**arrays)))
    (hidden,) = [net.inner(net.words(torch.from_numpy(arrays["input_ids"]))) - net.inner.bias]
    entropy = torch.special.entr(hidden.softmax(2)).sum(2).detach().numpy()
    assert list(columns["names"]) == ["inner"]
    assert columns["entropy/mean"][0, 0] == pytest.approx(entropy[TOKENS].mean(), rel=1e-5)
    assert columns["entropy/std"][0, 0] == pytest.approx(entropy[TOKENS].std(), rel=1e-4)
    assert columns["nonfinite"][0, 0] == 0
    by_sample = sorted(np.where(TOKENS, entropy, 0).sum(1) / LENGTHS)
    np.testing.assert_allclose(sorted(columns["entropy/sample_mean"][0, 0]), by_sample, rtol=1e-5)
    means = np.where(TOKENS, entropy, 0).sum(0) / TOKENS.sum(0)
    np.testing.assert_allclose(columns["entropy/mean_map/0"][0], means, rtol=1e-5)
    assert sorted((~np.isnan(columns["entropy/map/0"][0])).sum(1)) == sorted(LENGTHS)
    winners = np.bincount((hidden + net.inner.bias).detach().argmax(2).numpy()[TOKENS], minlength=7) / TOKENS.sum()
    np.testing.assert_allclose(columns["activation/winners/0"][0], winners, rtol=1e-6)
    alive = (hidden + net.inner.bias).detach().numpy()[TOKENS].max(0) > 0
    assert columns["activation/dead"][0, 0] == pytest.approx(1 - alive.mean())
    assert columns["head"]["probe_padding"] == b"attention_mask"
    assert any("padding by attention_mask" in text for text in said)
    shown = rfav_cli.show(str(tmp_path / "rfav.h5"))
    assert shown is not None


def test_an_encoder_with_torchs_own_mask(tmp_path: Path) -> None:
    arrays = {"src": IDS * TOKENS, "src_key_padding_mask": ~TOKENS}
    net, columns, _ = measured(tmp_path, Masked, arrays)
    check_loss(columns, net(**tensors(**arrays)))
    given = net.words(torch.from_numpy(arrays["src"]))
    values = given @ net.encoder.layers[0].self_attn.in_proj_weight[:8].T
    entropy = torch.special.entr(values.softmax(2)).sum(2).detach().numpy()
    row = list(columns["names"]).index("encoder.layers.0.self_attn.q_proj")
    assert columns["entropy/mean"][0, row] == pytest.approx(entropy[TOKENS].mean(), rel=1e-5)
    assert columns["head"]["probe_padding"] == b"src_key_padding_mask"


@pytest.mark.parametrize("name", ["tokens", "x", "whatever"])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16, np.uint8])
def test_token_ids_are_whole_numbers_whatever_they_are_called(name: str, dtype: type, tmp_path: Path) -> None:
    net, columns, said = measured(tmp_path, Bag, {name: IDS.astype(dtype)})
    check_loss(columns, net(torch.from_numpy(IDS)))
    assert columns["entropy/mean_map/0"].shape == (1, T)
    if name != "tokens":
        assert any("as token ids" in text for text in said)


@pytest.mark.parametrize("name", ["x", "input_ids"])
def test_features_are_whole_numbers_too(name: str, tmp_path: Path) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Linear(T, 5), nn.ReLU(), nn.Linear(5, CLASSES))

    net, columns, said = measured(tmp_path, make, {name: IDS})
    check_loss(columns, net(torch.from_numpy(IDS).double()))
    assert any("floating-point" in text for text in said) == (name == "input_ids")


FORMS: dict[str, Any] = {
    "eager": None,
    "scripted": lambda net, path: torch.jit.script(net).save(path),
    "exported": lambda net, path: torch.export.save(
        torch.export.export(
            net,
            (torch.zeros(3, 3, 8, 8),),
            {"meta": torch.zeros(3, 4), "age": torch.zeros(3, dtype=torch.int64)},
            dynamic_shapes={name: {0: torch.export.Dim("n", min=1)} for name in ("image", "meta", "age")},
        ),
        path,
    ),
}


@pytest.mark.filterwarnings("ignore:.torch.jit")
@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("eager", ("image", "meta", "age")),
        ("eager", ("arr_0", "arr_1", "arr_2")),
        ("eager", ("images", "meta", "age")),
        ("scripted", ("image", "meta", "age")),
        ("scripted", ("arr_0", "arr_1", "arr_2")),
        ("exported", ("image", "meta", "age")),
    ],
)
def test_three_inputs_by_name_or_by_place(form: str, names: tuple[str, ...], tmp_path: Path) -> None:
    arrays = dict(zip(names, (PIXELS, META, AGE), strict=True))
    net, columns, said = measured(tmp_path, Patient, arrays, FORMS[form])
    x = torch.from_numpy(PIXELS).permute(0, 3, 1, 2).double() / 255
    check_loss(columns, net(x, torch.from_numpy(META).double(), torch.from_numpy(AGE)))
    assert list(columns["names"]) == ["conv", "mix", "side"]
    values = torch.from_numpy(META).double() @ net.side.weight.detach().T
    entropy = torch.special.entr(values.softmax(1)).sum(1)
    assert columns["entropy/mean"][0, 2] == pytest.approx(float(entropy.mean()), rel=1e-5)
    assert columns["probe/thumbnail"].shape == (N, 8, 8, 3)
    assert any("images is given as image" in text for text in said) == ("images" in names)


def test_mean_and_std_are_of_the_image_alone(tmp_path: Path) -> None:
    arrays = {"image": PIXELS, "meta": META, "age": AGE}
    net, columns, _ = measured(tmp_path, Patient, arrays, mean=0.5, std=0.25)
    x = (torch.from_numpy(PIXELS).permute(0, 3, 1, 2).double() / 255 - 0.5) / 0.25
    check_loss(columns, net(x, torch.from_numpy(META).double(), torch.from_numpy(AGE)))
    np.savez(tmp_path / "none.npz", a=META, b=META)
    with pytest.raises(SampleError, match="--mean and --std are for"):
        load_probe(str(tmp_path / "none.npz"), options=SampleOptions(mean=(0.5,)))


@pytest.mark.parametrize("layout", ["ncthw", "nthwc"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_films(layout: str, dtype: type, tmp_path: Path) -> None:
    film = RNG.integers(0, 256, (N, 5, 8, 8, 3)).astype(dtype)
    net, columns, _ = measured(tmp_path, Film, {"x": film if layout == "nthwc" else film.transpose(0, 4, 1, 2, 3)})
    scale = 255 if dtype is np.uint8 else 1
    check_loss(columns, net(torch.from_numpy(film).permute(0, 4, 1, 2, 3).double() / scale))
    assert columns["entropy/mean_map/0"].shape == (1, 4, 6, 6)


def test_three_axes_of_numbers_are_taken_as_they_lie_or_as_gray_images(tmp_path: Path) -> None:
    steps = RNG.normal(size=(N, T, 4)).astype(np.float32)
    net, columns, said = measured(tmp_path, Steps, {"x": steps})
    check_loss(columns, net(torch.from_numpy(steps).double()))
    assert list(columns["names"]) == ["rnn.l0"]
    assert not any("--layout" in text for text in said)

    def make() -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, CLASSES))

    gray = RNG.random((N, 8, 8)).astype(np.float32)
    (tmp_path / "gray").mkdir()
    net, columns, said = measured(tmp_path / "gray", make, {"x": gray})
    check_loss(columns, net(torch.from_numpy(gray).double()[:, None]))
    assert any("--layout nhw" in text for text in said)


def test_arrays_that_do_not_fit_are_listed_beside_what_the_forward_takes(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"'picture', 'meta', 'age'; .*'image', 'meta', 'age'") as caught:
        measured(tmp_path, Patient, {"picture": PIXELS, "meta": META, "age": AGE})
    assert "under the name of its argument ('image')" in caught.value.remedy
    with pytest.raises(SampleError, match=r"'images'; .*'image', 'meta', 'age'"):
        measured(tmp_path, Patient, {"images": PIXELS})


@pytest.mark.parametrize(
    ("arrays", "takes", "expected", "said"),
    [
        ({"images": PIXELS, "names": LABELS}, Arguments(("x",), ("x",)), [""], ""),
        ({"x": META, "y": META, "labels": LABELS}, Arguments(("x", "y"), ("x", "y")), ["x", "y"], ""),
        ({"x": META, "mask": META}, Arguments(("x", "mask"), ("x",)), ["x", "mask"], ""),
        ({"x": META}, Arguments(("x", "mask"), ("x",)), [""], ""),
        ({"a": META, "b": META, "c": META}, Arguments(("b", "a"), ("a",)), ["b", "a"], "takes no 'c'"),
        ({"inputs": META, "b": META}, Arguments(("a", "b"), ("a", "b")), ["a", "b"], "inputs is given as a"),
        ({"input_ids": IDS, "mask": IDS}, Arguments(("ids",), ("ids",)), [""], ""),
        ({"features": META}, Arguments(("ids", "features"), ()), ["features"], ""),
        ({"a": META, "b": META}, Arguments((), (), more=True), None, ""),
    ],
)
def test_which_array_is_which_argument(
    arrays: dict[str, NDArray[Any]], takes: Arguments, expected: list[str] | None, said: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "probe.npz", **arrays)
    probe = load_probe(str(tmp_path / "probe.npz"))
    if expected is None:
        with pytest.raises(SampleError, match="no samples among 'a', 'b'"):
            fit_arguments(probe, takes)
        return
    fitted = fit_arguments(probe, takes)
    assert list(fitted.arrays) == expected
    assert said in " ".join(fitted.notes)
    assert len(fitted) == N


def test_labels_that_may_be_two_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "probe.npz", x=META, y=LABELS, labels=LABELS)
    with pytest.raises(SampleError, match="which of 'y', 'labels'"):
        fit_arguments(load_probe(str(tmp_path / "probe.npz")), Arguments(("x",), ("x",)))


def test_each_input_of_whole_numbers_may_be_given_as_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "probe.npz", ids=IDS, age=AGE, meta=META)
    found = [(note, probe) for note, probe in other_readings(load_probe(str(tmp_path / "probe.npz")))]
    kinds = [tuple(array.dtype.kind for array in probe.arrays.values()) for _, probe in found]
    assert kinds == [("f", "i", "f"), ("i", "f", "f"), ("f", "f", "f")]
    assert len({probe.sha256 for _, probe in found}) == 3
    assert found[2][0] == "ids, age of the probe enter the net as floating-point numbers"


def test_a_text_classifier_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")

    def make() -> nn.Module:
        config = transformers.BertConfig(
            vocab_size=20,
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=12,
            max_position_embeddings=T,
            num_labels=CLASSES,
        )
        net: nn.Module = transformers.BertForSequenceClassification(config)
        return net

    arrays = {"input_ids": IDS * TOKENS, "attention_mask": TOKENS.astype(np.int64), "token_type_ids": IDS % 2}
    net, columns, _ = measured(tmp_path, make, {**arrays, "idx": np.arange(N)})
    check_loss(columns, net(**tensors(**arrays)).logits)
    assert columns["head"]["probe_padding"] == b"attention_mask"
    given = net.bert.embeddings(torch.from_numpy(arrays["input_ids"]), torch.from_numpy(arrays["token_type_ids"]))
    query = net.bert.encoder.layer[0].attention.self.query
    entropy = torch.special.entr((given @ query.weight.T).softmax(2)).sum(2).detach().numpy()
    row = list(columns["names"]).index("bert.encoder.layer.0.attention.self.query")
    assert columns["entropy/mean"][0, row] == pytest.approx(entropy[TOKENS].mean(), rel=1e-5)


class OneDict(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.side, self.head = nn.Embedding(20, 5), nn.Linear(4, 5), nn.Linear(5, CLASSES)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.head(torch.relu(self.words(batch["input_ids"]).mean(1) + self.side(batch["meta"])))


@pytest.mark.parametrize("name", ["meta", "figures"])
def test_a_forward_of_one_dict_is_given_all_arrays(name: str, tmp_path: Path) -> None:
    arrays = {"input_ids": IDS, name: META}
    if name != "meta":
        with pytest.raises(SampleError):
            measured(tmp_path, OneDict, arrays)
        return
    net, columns, _ = measured(tmp_path, OneDict, arrays)
    check_loss(columns, net({"input_ids": torch.from_numpy(IDS), "meta": torch.from_numpy(META).double()}))
    assert list(columns["names"]) == ["side"]


class ByName(nn.Module):
    """Takes nothing by its place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, CLASSES)

    def forward(self, *, pixel_values: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(pixel_values)).mean((2, 3)))


class ByAnyName(ByName):
    def forward(self, **batch: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(pixel_values=batch["image"])


class OfABatch(ByName):
    def forward(self, batch: dict[str, Tensor]) -> Tensor:  # type: ignore[override]
        return super().forward(pixel_values=batch["image"])


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (ByName, "the array image is given as pixel_values"),
        (ByAnyName, "the samples are given by name, image"),
        (OfABatch, "the samples are given in a dict, as image"),
    ],
)
def test_images_alone_are_given_by_name_to_a_forward_that_takes_them_so(
    make: Callable[[], nn.Module], told: str, tmp_path: Path
) -> None:
    net, columns, said = measured(tmp_path, make, {"image": PIXELS}, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    seen = torch.from_numpy(PIXELS.transpose(0, 3, 1, 2) / 255)
    seen = (seen - torch.tensor((0.4, 0.5, 0.6)).view(3, 1, 1)) / torch.tensor((0.2, 0.3, 0.4)).view(3, 1, 1)
    check_loss(columns, ByName.forward(net, pixel_values=seen))  # type: ignore[arg-type]
    assert any(told in line for line in said)


def test_two_arrays_without_names_are_samples_and_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "probe.npz", PIXELS, LABELS)
    probe = load_probe(str(tmp_path / "probe.npz"))
    assert probe.labels is not None
    assert sorted(probe.labels.tolist()) == sorted(LABELS.tolist())
    assert isinstance(probe.inputs, np.ndarray)
    assert any("the labels are taken of 'arr_1'" in note for note in probe.notes)
    np.savez(tmp_path / "two.npz", PIXELS, META)  # two inputs
    assert load_probe(str(tmp_path / "two.npz")).labels is None


def test_what_may_be_the_labels_is_named_where_there_are_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "probe.npz", images=PIXELS, grade=LABELS)
    fitted = fit_arguments(load_probe(str(tmp_path / "probe.npz")), Arguments(("x",), ("x",)))
    assert any("there are no labels: 'grade' beside the samples is not used" in note for note in fitted.notes)
    named = fit_arguments(load_probe(str(tmp_path / "probe.npz")), Arguments(("x", "grade"), ("x",)))
    assert not any("there are no labels" in note for note in named.notes)
