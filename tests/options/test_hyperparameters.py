"""The options of how a net is trained."""

from rfav_cli.options import Hyperparameters, options_of


def test_the_papers_training_is_the_default() -> None:
    how = Hyperparameters()
    assert (how.optimizer, how.momentum, how.weight_decay, how.epochs, how.batch_size) == ("sgd", 0.0, 0.0, 100, 64)
    assert dict(options_of(Hyperparameters))["optimizer"].names_of_choices() == ("sgd", "adam", "adamw")
