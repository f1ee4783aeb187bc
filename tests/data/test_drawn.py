"""Doubts about samples that chance decides on."""

from __future__ import annotations

import numpy as np
import torch

from rfav_cli.data.drawn import READ_TWICE, doubts_of_chance
from rfav_cli.data.sources import SampleOptions, open_source


def test_a_few_samples_are_read_twice_and_what_differs_is_doubted():
    reads = []

    class Noisy(list):
        def __getitem__(self, index):
            reads.append(index)
            return torch.rand(2), 1

    source = open_source(Noisy([0] * 50), SampleOptions())
    reads.clear()
    (doubt,) = doubts_of_chance(source, np.arange(50))
    assert (doubt.kind, doubt.where, doubt.certainty) == ("chance", "Noisy (from Python)", 1)
    assert len(reads) == 2 * READ_TWICE


def test_what_is_as_it_is_is_not_doubted():
    source = open_source([(torch.zeros(2), 1)] * 50, SampleOptions())
    assert doubts_of_chance(source, np.arange(50)) == ()
    source.drawn = "a call draws"
    assert [doubt.words for doubt in doubts_of_chance(source, np.arange(50))] == ["a call draws"]
