"""The records of what a run looks at."""

import pickle

from rfav_cli.records import HeldLayer, LayerList, ListedLayer, Subject


def test_what_is_not_known_of_a_listed_layer_is_empty() -> None:
    layer = ListedLayer("attn.in_proj_weight", reason="its weights are used without the module")
    assert (layer.kind, layer.weight_shape, layer.parameters, layer.positions, layer.uses) == ("", (), None, None, 0)
    assert LayerList((layer,)).subject is None


def test_they_are_values_that_can_go_to_another_process() -> None:
    subject = Subject("probe.npz", 40, 4, None, None, ("conv1",), "logits", (4,), True, "fc")
    for record in (subject, HeldLayer("fc", "Linear", (4, 3), 16)):
        assert pickle.loads(pickle.dumps(record)) == record
