from rfav_cli.records.tasks import AUTO, CHOICES, CROSS_ENTROPY, TASKS, loss_in_words


def test_the_loss_of_classes_is_the_held_out_loss_and_others_have_their_names() -> None:
    assert loss_in_words("", CROSS_ENTROPY) == "held-out loss"
    assert loss_in_words("binary", CROSS_ENTROPY) == "held-out loss"
    assert loss_in_words("pixels", "cross-entropy a pixel") == "held-out cross-entropy a pixel"
    assert loss_in_words("regression", "nets.py:huber") == "held-out loss nets.py:huber"


def test_what_can_be_asked_for() -> None:
    assert (AUTO, *TASKS) == CHOICES
    assert {name for name, task in TASKS.items() if task.one_class} == {"classes", "binary"}
    assert all(task.is_share == task.figure.endswith("accuracy") for task in TASKS.values())
