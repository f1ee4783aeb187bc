import pytest

from rfav_cli.activations.layers import select_layers
from rfav_cli.activations.network import Trace
from rfav_cli.errors import ModelError
from rfav_cli.records import Layer, SkippedLayer


@pytest.fixture
def trace():
    names = ("conv1", "block.conv2", "fc1", "fc2")
    layers = tuple(Layer(name, "Conv2d", 4, (4, 1, 1, 1), (2, 2)) for name in names)
    return Trace(layers, dict.fromkeys(names, 1), (SkippedLayer("unused", "the forward does not reach it"),))


def chosen(trace, classifier="fc2", **options):
    layers, skipped = select_layers(trace, classifier, **options)
    return [layer.name for layer in layers], {layer.name: layer.reason for layer in skipped}


def test_the_classifier_is_left_out_and_what_was_found_skipped_is_kept(trace):
    layers, skipped = chosen(trace)
    assert layers == ["conv1", "block.conv2", "fc1"]
    assert skipped == {"unused": "the forward does not reach it", "fc2": "classifier"}


def test_a_net_without_a_classifier_is_measured_whole(trace):
    layers, skipped = chosen(trace, classifier="")
    assert layers == ["conv1", "block.conv2", "fc1", "fc2"]
    assert skipped == {"unused": "the forward does not reach it"}


def test_the_classifier_need_not_be_the_last_layer(trace):
    layers, skipped = chosen(trace, classifier="fc1")
    assert layers == ["conv1", "block.conv2", "fc2"]
    assert skipped["fc1"] == "classifier"


def test_layers_names_those_to_measure_the_classifier_too(trace):
    layers, skipped = chosen(trace, layers=["fc*"])
    assert layers == ["fc1", "fc2"]
    assert skipped["conv1"] == "not named by --layers"


def test_skip_wins(trace):
    layers, skipped = chosen(trace, layers=["*"], skip=["block.*"])
    assert layers == ["conv1", "fc1", "fc2"]
    assert skipped["block.conv2"] == "--skip block.*"


@pytest.mark.parametrize("option", ["layers", "skip"])
def test_a_glob_without_a_layer_is_an_error_that_lists_them(trace, option):
    with pytest.raises(ModelError, match=f"--{option} 'head'") as raised:
        select_layers(trace, **{option: ["head"]})
    assert "block.conv2" in raised.value.remedy


def test_nothing_left_is_an_error_that_says_why(trace):
    with pytest.raises(ModelError, match="fc1: --skip"):
        select_layers(trace, skip=["*"])


def test_a_net_without_layers_is_an_error():
    with pytest.raises(ModelError, match="no convolution or linear layer"):
        select_layers(Trace((), {}, ()))


def test_no_option_is_advised_where_there_is_no_layer_to_name(trace):
    alone = Trace((), {}, (SkippedLayer("fc", "the batch is not its first axis"),))
    for seen, remedy in ((alone, "Give a net whose"), (trace, "--layers")):
        with pytest.raises(ModelError) as failure:
            select_layers(seen, "fc2", skip=("*",) if seen is trace else ())
        assert remedy in failure.value.remedy
