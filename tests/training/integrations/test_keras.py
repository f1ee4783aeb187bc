import copy
import os
import warnings

import pytest

import rfav_cli
from rfav_cli.errors import ModelError, UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    from rfav_cli.training.integrations.keras import MonitorCallback

pytestmark = pytest.mark.filterwarnings("ignore")


def trained(net, samples, callback):
    model = keras.Sequential([keras.layers.TorchModuleWrapper(net)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    model.fit(*samples, batch_size=8, epochs=2, verbose=0, callbacks=[callback])


def test_each_epoch_of_a_training_is_recorded(tmp_path, net, samples, probe, check):
    first, verdicts = copy.deepcopy(net.state_dict()), []
    monitor = rfav_cli.Monitor(net, probe, tmp_path / "a.h5", layout="nf")
    trained(net, samples, MonitorCallback(monitor, verdicts.append))
    check(tmp_path / "a.h5", first, net.state_dict(), verdicts)


def test_layers_of_keras_itself_are_refused(tmp_path, probe):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8), keras.layers.Dense(4)])
    with pytest.raises(ModelError, match="no layer of torch"):
        rfav_cli.Monitor(model, probe, tmp_path / "a.h5", layout="nf", device="cpu")
    assert not (tmp_path / "a.h5.d").exists()


def test_another_backend_is_refused(monkeypatch, tmp_path, net, probe):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monitor = rfav_cli.Monitor(net, probe, tmp_path / "a.h5", layout="nf")
    with pytest.raises(UsageError, match="jax"):
        MonitorCallback(monitor)


@pytest.mark.parametrize("monitor", [None, "probe.npz", rfav_cli.Monitor])
def test_without_a_monitor_there_is_a_clear_error(monitor):
    with pytest.raises(UsageError, match="needs a Monitor"):
        MonitorCallback(monitor)
