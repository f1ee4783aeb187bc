"""What remedies were worth where that was measured: the reporting runs of `benchmarks/remedy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.records import Gain, Rule

if TYPE_CHECKING:
    from rfav_cli.diagnosis.make_of_net import Make

ADVISED: Rule = "even"
"""The rule of the penalties that a retraining is advised with, where it gains."""

ACCURACY, LOSS = "best accuracy", "last loss"
"""What is compared: the best accuracy over the epochs, and the loss in the last, in nats."""

REMEDIES = {
    "norm": "batch normalisation after each convolution",
    "dropout": "dropout (p = 0.25 after each pooling)",
    "dropout+even": "dropout with the penalties of the rule 'even'",
    "decay": "weight decay (5e-4)",
    "augment": "augmentation (flips and shifts)",
    "adaptive": "the penalties of the rule 'adaptive'",
    "even": "the penalties of the rule 'even'",
    "balanced": "the penalties of the rule 'balanced'",
    "paper": "the penalties of the rule 'paper'",
}
"""Name in the benchmark -> in words."""

GAINS = (
    Gain("norm", "best accuracy", 0.0369, 0.0217, 0.052, 4, 12, "plain"),
    Gain("norm", "last loss", -3.2069, -8.1438, 1.7299, 4, 12, "plain"),
    Gain("dropout", "best accuracy", 0.0151, 0.0055, 0.0246, 4, 12, "plain"),
    Gain("dropout", "last loss", -3.9711, -7.6533, -0.2889, 4, 12, "plain"),
    Gain("dropout+even", "best accuracy", 0.0334, 0.0026, 0.0641, 4, 12, "plain"),
    Gain("dropout+even", "last loss", -4.7479, -9.736, 0.2403, 4, 12, "plain"),
    Gain("decay", "best accuracy", -0.0017, -0.0066, 0.0031, 5, 15, "plain"),
    Gain("decay", "last loss", -0.641, -1.6649, 0.383, 5, 15, "plain"),
    Gain("decay", "best accuracy", 0.0002, -0.0003, 0.0007, 3, 9, "normalised"),
    Gain("decay", "last loss", -0.1784, -0.6934, 0.3367, 3, 9, "normalised"),
    Gain("even", "best accuracy", 0.0285, 0.0205, 0.0365, 5, 15, "plain"),
    Gain("even", "last loss", -3.571, -6.9714, -0.1707, 5, 15, "plain"),
    Gain("even", "best accuracy", -0.0037, -0.0102, 0.0029, 7, 21, "normalised"),
    Gain("even", "last loss", -0.7684, -1.3588, -0.178, 7, 21, "normalised"),
    Gain("balanced", "best accuracy", 0.0293, 0.0194, 0.0392, 5, 15, "plain"),
    Gain("balanced", "last loss", -3.3427, -6.5607, -0.1247, 5, 15, "plain"),
    Gain("balanced", "best accuracy", -0.0051, -0.012, 0.0017, 3, 9, "normalised"),
    Gain("balanced", "last loss", -0.6034, -2.4796, 1.2727, 3, 9, "normalised"),
    Gain("paper", "best accuracy", 0.0188, 0.011, 0.0266, 5, 15, "plain"),
    Gain("paper", "last loss", -2.9878, -6.0928, 0.1172, 5, 15, "plain"),
    Gain("paper", "best accuracy", -0.002, -0.0129, 0.0089, 3, 9, "normalised"),
    Gain("paper", "last loss", 0.0032, -0.1258, 0.1321, 3, 9, "normalised"),
    Gain("augment", "best accuracy", 0.016, -0.0027, 0.0347, 7, 7, "plain"),
    Gain("augment", "last loss", -0.6275, -1.1193, -0.1358, 7, 7, "plain"),
    Gain("augment", "best accuracy", 0.0312, 0.0118, 0.0506, 5, 5, "normalised"),
    Gain("augment", "last loss", -0.6827, -1.0716, -0.2938, 5, 5, "normalised"),
    Gain("dropout", "best accuracy", 0.0153, -0.0018, 0.0325, 5, 5, "normalised"),
    Gain("dropout", "last loss", -0.5631, -0.9415, -0.1848, 5, 5, "normalised"),
    Gain("adaptive", "best accuracy", 0.0091, -0.0009, 0.0192, 7, 21, "plain"),
    Gain("adaptive", "last loss", -0.5889, -1.0407, -0.1372, 7, 21, "plain"),
    Gain("adaptive", "best accuracy", -0.0003, -0.0025, 0.002, 5, 15, "normalised"),
    Gain("adaptive", "last loss", -0.5337, -0.9536, -0.1139, 5, 15, "normalised"),
)
"""Against the same training without the remedy; `tests/benchmarks` holds them equal to what the committed figures give,
`python -m benchmarks.remedy.record` prints them."""


def gain_of(remedy: str, make: Make, measure: str = ACCURACY) -> Gain | None:
    """What a remedy was worth on nets of a make; None where that was not measured."""
    return next((gain for gain in GAINS if (gain.remedy, gain.nets, gain.measure) == (remedy, make, measure)), None)


def is_gain(gain: Gain | None) -> bool:
    """Whether it is surely one of accuracy."""
    return gain is not None and gain.measure == ACCURACY and gain.low > 0


def is_worth_a_training(remedy: str, make: Make) -> bool:
    """Whether a remedy surely gains accuracy, or gains some on average and surely lowers the last loss."""
    accuracy, loss = gain_of(remedy, make), gain_of(remedy, make, LOSS)
    if accuracy is None or loss is None:
        return False
    return is_gain(accuracy) or (accuracy.value > 0 and loss.high < 0)


def gain_in_words(gain: Gain) -> str:
    """The figure with its 95 % interval: of an accuracy in percentage points, of a loss in nats."""
    if gain.measure == ACCURACY:
        value, low, high = (f"{100 * each:+.1f}" for each in (gain.value, gain.low, gain.high))
        return f"{value} points of accuracy ({low} to {high} on {gain.runs} runs)"
    return f"{gain.value:+.2f} nat of the last loss ({gain.low:+.2f} to {gain.high:+.2f} on {gain.runs} runs)"
