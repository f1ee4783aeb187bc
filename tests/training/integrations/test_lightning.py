import copy
import warnings

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import rfav_cli
from rfav_cli.errors import UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lightning = pytest.importorskip("lightning.pytorch")
    from rfav_cli.training.integrations.lightning import MonitorCallback

pytestmark = pytest.mark.filterwarnings("ignore")


def trained(net, samples, folder, callback, epochs=2, **options):
    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = net

        def training_step(self, batch, _):
            return torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    images, labels = map(torch.from_numpy, samples)
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=[callback],
    )
    trainer.fit(Module(), DataLoader(TensorDataset(images, labels), 8), **options)
    return trainer


def test_each_epoch_of_a_training_is_recorded(tmp_path, net, samples, probe, check):
    first, verdicts = copy.deepcopy(net.state_dict()), []
    monitor = rfav_cli.Monitor(net, probe, tmp_path / "a.h5", layout="nf")
    trained(net, samples, tmp_path, MonitorCallback(monitor, verdicts.append))
    check(tmp_path / "a.h5", first, net.state_dict(), verdicts)


def test_a_training_that_is_resumed_goes_on_with_the_store(tmp_path, net, samples, probe):
    monitor = rfav_cli.Monitor(net, probe, tmp_path / "a.h5", layout="nf")
    saved = trained(net, samples, tmp_path, MonitorCallback(monitor), epochs=1).checkpoint_callback.best_model_path
    monitor = rfav_cli.Monitor(net, probe, tmp_path / "a.h5", layout="nf")
    trained(net, samples, tmp_path, MonitorCallback(monitor), epochs=2, ckpt_path=saved)
    assert list(rfav_cli.open_store(tmp_path / "a.h5").epochs) == [-1, 0, 1]


@pytest.mark.parametrize("monitor", [None, "probe.npz", rfav_cli.Monitor])
def test_without_a_monitor_there_is_a_clear_error(monitor):
    with pytest.raises(UsageError, match="needs a Monitor"):
        MonitorCallback(monitor)
