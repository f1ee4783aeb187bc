"""Whether a store's checkpoints are of one run: each way in which they are not is said, and no training is doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rfav_cli.diagnosis.run_doubts import run_doubts
from tests.diagnosis.weights import SIZES, history_of, picked, training


def said(weights, epochs=None, names=None):
    """The doubts, each as (where, words)."""
    doubts = run_doubts(history_of(weights, epochs, names))
    assert all(doubt.kind == "run" and doubt.remedy and 0 < doubt.certainty <= 1 for doubt in doubts)
    return [(doubt.where, doubt.words) for doubt in doubts]


A, B = training(1), training(2)


@pytest.mark.parametrize("row", range(1, 11))
@pytest.mark.parametrize("sizes", [SIZES, (216,), (90, 900)])
def test_a_file_of_another_run(row, sizes):
    one, other = (training(seed, sizes=sizes) for seed in (1, 2))
    weights = [other[row] if place == row else each for place, each in enumerate(one)]
    ((where, words),) = said(weights)
    assert where == f"epoch {row - 1}"
    assert words.startswith(f"epoch_{row - 1}.pt is not of this run: the weights of epoch {row - 1} correlate")


def test_a_file_of_another_run_that_began_with_the_same_weights():
    start = training(9)[-1]
    one, other = (training(seed, steps=[0.2] + [0.02] * 10, start=start) for seed in (1, 2))
    ((where, words),) = said(picked("aaaaaabaaaaa", a=one, b=other))
    assert where == "epoch 5"
    assert (
        "epoch_5.pt is not of this run: the weights of epoch 5 are 10 times as far from those of epochs 4 and 6"
        in words
    )


def test_a_few_files_of_another_run_by_their_folders_where_names_are_alike():
    names = {epoch: f"runs/epoch_{epoch}/model.pt" for epoch in range(-1, 11)}
    ((where, words),) = said(picked("aaaabbaaaaaa", a=A, b=B), names=names)
    assert where == "epoch 3"
    assert words.startswith("epoch_3/model.pt, epoch_4/model.pt are not of this run")


@pytest.mark.parametrize("letters", ["abababababab", "aabbaabbaabb", "aababbaababa", "abbaabbbaaba"])
def test_two_runs_are_mixed(letters):
    ((where, words),) = said(picked(letters, a=A, b=B))
    assert where == ""
    assert words.startswith("two runs are mixed, that of epochs -1, ")


@pytest.mark.parametrize("count", [4, 11])
def test_a_first_file_of_another_run(count):
    ((where, words),) = said([B[0], *A[1:count]], epochs=range(count))
    assert where == "epoch 0"
    assert words.startswith("epoch_0.pt is not of this run: its weights correlate with those of epoch 1 by ")


@pytest.mark.parametrize(
    ("weights", "first"),
    [
        ([B[0], *A[1:]], -1),  # may be loaded after it was saved
        ([B[0], *A[1:3]], 0),  # too few to be steady
        ([B[0], *training(1, steps=1.0)[1:]], 0),  # a training that throws its weights far in each epoch
    ],
)
def test_a_first_file_that_need_not_be_of_another_run(weights, first):
    assert not said(weights, epochs=range(first, first + len(weights)))


@pytest.mark.parametrize("letters", ["abcabcabcabc", "aabbccaabbcc"])
def test_three_runs_are_mixed(letters):
    ((where, words),) = said(picked(letters, a=A, b=B, c=training(3)))
    assert where == ""
    assert words.startswith("3 runs are mixed, that of epochs -1, ")
    assert words.count(" and of epochs ") == 2


@pytest.mark.parametrize("missing", [1, 3])
@pytest.mark.parametrize("after", [2, 6])
def test_a_run_that_began_anew_beside_missing_epochs(missing, after):
    epochs = [*range(-1, 5), *range(5 + missing, 5 + missing + after)]
    ((where, words),) = said([*A[:6], *B[6 : 6 + after]], epochs=epochs)
    assert where == f"epoch {5 + missing}"
    assert words.startswith("from here on this is another run, or one begun anew")


@pytest.mark.parametrize("row", range(2, 11))
def test_a_run_that_began_anew(row):
    ((where, words),) = said([*A[:row], *B[: 12 - row]])
    assert where == f"epoch {row - 1}"
    assert f"another run, or one begun anew (epoch_{row - 1}.pt): its weights correlate" in words
    assert words.startswith("from here on" if row < 11 else "this is")


def test_a_last_file_of_another_run():
    ((where, words),) = said([*A[:-1], B[-1]])
    assert where == "epoch 10"
    assert words.startswith("this is another run")


def test_all_files_are_copies():
    ((where, words),) = [
        (doubt.where, doubt.words)
        for doubt in run_doubts(
            history_of([A[3]] * 8, entropy__mean=np.ones((8, 3)), probe__sample_loss=np.ones((8, 5)))
        )
    ]
    assert (where, words) == ("", "all 8 checkpoints hold the same weights")


def test_some_files_are_copies():
    figures = np.array([0, 1, 2, 2, 4, 5, 6, 7, 1, 9.0])
    entropy, loss = np.outer(1 + figures, np.ones(3)), np.outer(figures, np.ones(5))
    weights = [A[int(figure)] for figure in figures]
    (doubt,) = run_doubts(history_of(weights, entropy__mean=entropy, probe__sample_loss=loss))
    assert doubt.where == "epoch 7"
    assert doubt.words == (
        "epochs 0, 7 hold the same weights (epoch_0.pt, epoch_7.pt); epochs 1, 2 hold the same weights "
        "(epoch_1.pt, epoch_2.pt)"
    )


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 1000),
    st.lists(st.sampled_from([0.0005, 0.02, 0.1, 0.5, 1.0, 3.0]), min_size=1, max_size=14),
    st.sampled_from([0.0, 0.05, 0.3]),
    st.sampled_from([SIZES, (40_000,), (108,), (27, 72), (64,) * 20]),
    st.integers(1, 3),
)
@example(0, [0.5, 0.0005, 0.0005, 3.0, 0.0005, 0.0005], 0.3, SIZES, 2)  # the sketches have less of it than is left
@example(0, [0.5, 0.0005, 0.0005, 3.0, 0.0005, 0.0005], 0.3, (216, 1152, 40_000), 3)
def test_no_training_is_doubted_whatever_its_rate_and_how_often_it_was_saved(seed, steps, decay, sizes, stride):
    """Where two checkpoints keep 0.4 of the weights or more, as all trainings that were measured do, or nearly so."""
    assume((1 - decay) ** stride > 0.34)
    weights = training(seed, steps=steps, decay=decay, sizes=sizes)[::stride]
    assert said(weights, range(0, stride * len(weights), stride)) == []


@pytest.mark.parametrize("decay", [0.9, 0.999])
def test_checkpoints_so_far_apart_that_they_have_nothing_in_common_are_not_doubted(decay):
    """Each fiftieth epoch, at a rate and a decay that forget, but for the last at a low rate."""
    weights = training(1, steps=[0.05] + [2.0] * 6, decay=decay)
    late = training(3, 4, steps=0.01, start=weights[-1])[1:]
    assert said([*weights, *late], [-1, 0, *range(50, 500, 50)][: len(weights) + 3]) == []


def test_the_first_step_may_leave_nothing():
    weights = training(1, steps=[0.0], decay=0.0)[:1] + training(2, 8)
    assert said(weights) == []


def test_frozen_layers_and_a_frozen_net_are_a_choice():
    weights = [[A[0][0], A[0][1], row[2]] for row in A]
    assert said(weights) == []
    assert said([A[0]] * 6) == []


def test_hostile_names_are_printable():
    ((_, words),) = said(picked("aaaaabaaaaaa", a=A, b=B), names={4: "run/\x1b[31m\u202eevil.pt"})
    assert words.isprintable()


def test_old_stores_and_short_ones_are_not_doubted():
    history = history_of(picked("abababababab", a=A, b=B))
    without = {name: values for name, values in history.columns.items() if name != "checkpoint/sketch"}
    assert run_doubts(replace(history, columns=without)) == ()
    assert said([A[0]]) == said([A[0], B[0]]) == []
