import copy
import warnings

import pytest
import torch
from torch import nn

import rfav_cli
from rfav_cli.errors import UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from rfav_cli.training.integrations.transformers import MonitorCallback

pytestmark = pytest.mark.filterwarnings("ignore")


class WithLoss(nn.Module):
    """What Trainer asks of a model."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, labels=None):
        logits = self.net(x)
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return {"logits": logits} if loss is None else {"loss": loss, "logits": logits}


def trained(model, samples, folder, callback, **options):
    rows = [{"x": torch.from_numpy(x), "labels": int(y)} for x, y in zip(*samples, strict=True)]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder / "trainer"),
        num_train_epochs=2,
        per_device_train_batch_size=8,
        learning_rate=0.1,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
        **options,
    )
    trainer = transformers.Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[callback])
    trainer.train()


def test_each_epoch_of_a_training_is_recorded(tmp_path, net, samples, probe, check):
    first, verdicts = copy.deepcopy(net.state_dict()), []
    monitor = rfav_cli.Monitor(net, probe, tmp_path / "a.h5", layout="nf")
    trained(WithLoss(net), samples, tmp_path, MonitorCallback(monitor, verdicts.append))
    check(tmp_path / "a.h5", first, net.state_dict(), verdicts)


def test_steps_that_end_within_an_epoch_are_of_that_epoch(tmp_path, net, samples, probe):
    model = WithLoss(net)
    monitor = rfav_cli.Monitor(model, probe, tmp_path / "a.h5", layout="nf")
    trained(model, samples, tmp_path, MonitorCallback(monitor), max_steps=4)
    history = rfav_cli.open_store(tmp_path / "a.h5")
    assert list(history.epochs) == [-1, 0, 1]
    assert [layer.name for layer in history.run.layers] == ["net.fc1", "net.fc2"]


@pytest.mark.parametrize("monitor", [None, "probe.npz", rfav_cli.Monitor])
def test_without_a_monitor_there_is_a_clear_error(monitor):
    with pytest.raises(UsageError, match="needs a Monitor"):
        MonitorCallback(monitor)
