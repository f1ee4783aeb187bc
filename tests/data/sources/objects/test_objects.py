"""Objects of Python as samples, whatever they are; see `rfav_cli/data/sources/objects/__init__.py`."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from rfav_cli.data.probe import load_probe
from rfav_cli.data.sources import SampleOptions
from rfav_cli.errors import SampleError

X = torch.from_numpy(np.random.default_rng(0).normal(size=(30, 3, 4, 5)).astype(np.float32))
Y = torch.arange(30) % 3


class Pairs(Dataset):
    """(x, y), counting what is read."""

    def __init__(self, x=X, y=Y, **known):
        self.x, self.y, self.reads = x, y, []
        self.__dict__.update(known)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        self.reads.append(index)
        return self.x[index], int(self.y[index])


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(X, Y, strict=True))


def function():
    return Pairs()


def generator():
    yield from zip(X, Y, strict=True)


ALL = {
    "a pair of tensors": (X, Y),
    "a list of both": [X, Y],
    "arrays": (X.numpy(), Y.numpy()),
    "a dict": {"images": X, "labels": Y},
    "a TensorDataset": TensorDataset(X, Y),
    "a data set": Pairs(),
    "a subset": Subset(Pairs(torch.cat([X, X]), torch.cat([Y, Y])), range(30, 60)),
    "a list of pairs": list(zip(X, Y.tolist(), strict=True)),
    "a loader": DataLoader(Pairs(), 7, shuffle=True),
    "a loader without batches": DataLoader(Pairs(), batch_size=None),
    "a loader of a subset by its sampler": DataLoader(
        Pairs(torch.cat([X, X + 9]), torch.cat([Y, Y])), 4, sampler=torch.utils.data.SubsetRandomSampler(range(30))
    ),
    "an iterable data set": Stream(),
    "a loader of one": DataLoader(Stream(), 7),
    "a function": function,
    "a class": Pairs,
    "a generator": generator,
    "a loader that is none of torch's": [(X[:20], Y[:20]), (X[20:], Y[20:])].__iter__,
    "dicts": [{"pixel_values": x, "labels": y} for x, y in zip(X, Y, strict=True)],
}


@pytest.mark.parametrize("what", ALL)
def test_every_form_gives_the_same_samples_and_labels(what):
    probe = load_probe(ALL[what], size=30)
    assert probe.inputs.shape == X.shape
    assert probe.inputs.dtype == np.float32
    order = np.lexsort(X.numpy().reshape(30, -1).T)
    found = np.lexsort(probe.inputs.reshape(30, -1).T)
    np.testing.assert_array_equal(probe.inputs[found], X.numpy()[order])
    np.testing.assert_array_equal(probe.labels[found], Y.numpy()[order])
    assert (probe.mean, probe.std, probe.doubts) == (None, None, ())


@pytest.mark.parametrize("what", ["a pair of tensors", "a data set", "a loader", "a function", "an iterable data set"])
def test_the_digest_is_the_same_each_time(what):
    assert load_probe(ALL[what], size=12).sha256 == load_probe(ALL[what], size=12).sha256


def test_a_large_set_is_not_read_whole():
    class Hidden(Pairs):
        def __getitem__(self, index):
            self.reads.append(index)
            return self.x[index], index % 4

    data = Hidden(torch.zeros(5000, 1), y=None)
    probe = load_probe(data, size=8)
    assert len(set(data.reads)) <= 9
    assert "chosen by chance, and not evenly over the classes" in " ".join(probe.notes)


@pytest.mark.parametrize("name", ["targets", "labels"])
def test_known_labels_choose_evenly_and_the_items_say_what_they_are(name):
    known = np.repeat([0, 1, 2, 3], [4990, 4, 3, 3])
    data = Pairs(torch.zeros(5000, 1), torch.from_numpy(known) + 1, **{name: known.tolist()})
    probe = load_probe(data, size=8)
    assert sorted(probe.labels.tolist()) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert len(set(data.reads)) <= 9
    assert probe.notes == ()


def test_names_of_classes_are_taken_over():
    probe = load_probe(Subset(Pairs(classes=["ant", "bee", "cat"], targets=Y), range(9)), size=9)
    assert probe.classes == ("ant", "bee", "cat")


def test_classes_in_another_order(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\nant\nbee\n")
    options = SampleOptions(classes_file=tmp_path / "classes.txt")
    probe = load_probe(Pairs(classes=("ant", "bee", "cat")), size=30, options=options)
    plain = load_probe(Pairs(), size=30)
    assert probe.classes == ("cat", "ant", "bee")
    assert probe.labels.tolist() == [(label + 1) % 3 for label in plain.labels.tolist()]


def test_labels_that_are_names():
    items = [(x, "abc"[y]) for x, y in zip(X, Y.tolist(), strict=True)]
    with pytest.raises(SampleError, match=r"labels are text.*\n.*--classes"):
        load_probe(items)

    class Named(list):
        classes = ("a", "b", "c")

    assert sorted(load_probe(Named(items)).labels.tolist()) == [0] * 10 + [1] * 10 + [2] * 10


def test_samples_without_labels():
    for value in (X, X.numpy(), TensorDataset(X), list(X), DataLoader(TensorDataset(X), 4)):
        probe = load_probe(value, size=30)
        assert probe.labels is None
        assert probe.inputs.shape == X.shape


def test_whole_numbers_stay_and_several_inputs_have_names():
    from rfav_cli.data.sources import open_source

    ids = torch.arange(24).reshape(6, 4)
    for value in (
        [{"input_ids": row.tolist(), "attention_mask": [1, 1, 1, 0], "label": 1, "text": "a", "idx": 3} for row in ids],
        {"input_ids": ids, "attention_mask": torch.ones_like(ids), "label": torch.ones(6, dtype=torch.int64)},
    ):
        source = open_source(value, SampleOptions())
        read = source.read(np.array([2, 0]))
        assert list(read) == ["input_ids", "attention_mask"]
        assert read["input_ids"].dtype == np.int64
        assert read["input_ids"].tolist() == ids[[2, 0]].tolist()
        assert source.labels_of(np.array([2, 0])).tolist() == [1, 1]


def test_ids_mask_and_label_are_told_from_image_label_and_number():
    from rfav_cli.data.sources import open_source

    ids = torch.arange(24).reshape(6, 4)
    source = open_source(TensorDataset(ids, torch.ones_like(ids), Y[:6]), SampleOptions())
    assert list(source.read(np.array([0]))) == ["0", "1"]
    assert source.labels_of(np.array([0])).tolist() == [0]
    with pytest.raises(SampleError, match="3 parts"):
        open_source([(x, int(y), 7) for x, y in zip(X, Y, strict=True)], SampleOptions())


def test_bytes_are_divided_and_it_is_said():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 3, 8, 8), dtype=np.uint8))
    for value in ((images, Y[:6]), list(zip(images, Y[:6], strict=True))):
        probe = load_probe(value, size=6)
        assert probe.inputs.dtype == np.uint8
        assert "divided by 255" in " ".join(probe.notes)
        assert probe.batch(slice(0, 6), torch.device("cpu")).max() <= 1


def test_what_is_random_in_the_samples_is_doubted_and_reproduced():
    class Noisy(Pairs):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return x + torch.rand(()) + random.random() + np.random.rand(), y

    state = torch.get_rng_state(), random.getstate()
    one, two = load_probe(Noisy()), load_probe(Noisy())
    assert one.sha256 == two.sha256
    (doubt,) = one.doubts
    assert doubt.kind == "chance"
    assert "not the same when they are read twice" in doubt.words
    assert torch.equal(torch.get_rng_state(), state[0])
    assert random.getstate() == state[1]


def test_a_split_that_is_drawn_anew_by_each_call_is_doubted():
    def split():
        return torch.utils.data.random_split(Pairs(), [20, 10])[1]

    def same_split():
        torch.manual_seed(3)
        return split()

    (doubt,) = load_probe(split).doubts
    assert "draws at random which samples" in doubt.words
    assert load_probe(same_split).doubts == ()


def test_a_shuffled_stream_is_doubted():
    class Shuffled(Stream):
        def __iter__(self):
            order = torch.randperm(30)
            return iter(zip(X[order], Y[order], strict=True))

    assert load_probe(Shuffled(), size=9).doubts[0].kind == "chance"


def test_the_first_of_a_stream_are_taken_and_it_is_said():
    def endless():
        while True:
            yield from zip(X, Y, strict=True)

    probe = load_probe(endless, size=9)
    assert len(probe) == 9
    assert "the first 9 were taken" in " ".join(probe.notes)


def test_a_collate_fn_is_respected():
    rows = [(torch.arange(n), n % 2) for n in (2, 5, 3)]

    def padded(items):
        x = torch.nn.utils.rnn.pad_sequence([x.float() for x, _ in items], batch_first=True)
        return {"x": x, "labels": torch.tensor([y for _, y in items])}

    probe = load_probe(DataLoader(rows, 2, collate_fn=padded), size=3)
    assert probe.inputs.shape == (3, 5)
    assert sorted(probe.labels.tolist()) == [0, 1, 1]


class Failing(Pairs):
    def __getitem__(self, index):
        if index == 17:
            raise KeyError("no\x1b[31m such file")
        return super().__getitem__(index)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (Failing(), r"^--probe Failing \(from Python\): sample 17 raised KeyError: 'no\\x1b\[31m such file'"),
        (3, "an object of type int is no samples"),
        ((Pairs(), Pairs()), r"2 sets of samples \(Pairs, Pairs\)"),
        ({"a": 1, "b": 2}, "a dict with a, b is no samples"),
        ((X, Y[:7]), "parts of 30, 7 samples"),
        ([], "is no samples"),
        (torch.zeros(0, 3), "no samples in it"),
        (lambda needed: Pairs(), r"making the samples raised TypeError"),
        (lambda: 1 / 0, "making the samples raised ZeroDivisionError"),
        ([(x[:, : 2 + n % 2], 0) for n, x in enumerate(X)], r"sample \d+ is of shape 3x\dx5, \d+ of 3x\dx5"),
        ([(x, "a") if n else (x,) for n, x in enumerate(X)], "has other parts than sample"),
        ([(object(), 1)] * 3, "holds no numbers"),
        ((torch.full((4, 2), float("nan")), Y[:4]), r"sample \d+ holds NaN"),
        (iter(()), "gives no samples"),
    ],
)
def test_what_cannot_be_used_is_named(value, what):
    with pytest.raises(SampleError, match=what) as caught:
        load_probe(value, size=30)
    assert caught.value.remedy
    assert caught.value.what.isprintable()


@pytest.mark.parametrize(("option", "value"), [("gray", True), ("layout", "nchw"), ("rgb", True)])
def test_options_of_images_are_refused_for_what_is_ready(option, value):
    with pytest.raises(SampleError, match=f"--{option} is for"):
        load_probe(Pairs(), options=SampleOptions(**{option: value}))


def test_mean_and_size_come_on_top_and_it_is_said():
    options = SampleOptions(mean=(0.5,), std=(2.0,), resize=(2, 2))
    probe = load_probe(Pairs(), size=5, options=options)
    assert probe.inputs.shape == (5, 3, 2, 2)
    assert (probe.mean, probe.std) == ((0.5,) * 3, (2.0,) * 3)
    assert "normalised by --mean and --std after" in " ".join(probe.notes)
    assert "resized after" in " ".join(probe.notes)
