"""The rules of `rfav check`, with their stable ids; each has a page in `docs/rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfav_cli.records import CheckRule

if TYPE_CHECKING:
    from rfav_cli.records import DoubtKind

_RULES = (
    CheckRule(
        "RFAV001",
        "overfitting",
        "flag",
        "The run overfits.",
        "The verdict on the run is `overfitting`. With labels it says of which kind: *overconfidence*, where the "
        "held-out loss rises and the loss after calibration does not, so that the net is too sure of what it knows; or "
        "*lost knowledge*, where the calibrated loss rises or the accuracy falls, too. Without labels its checkpoints "
        "disagree on more samples than their own uncertainty allows. The message says since which epoch, and what that "
        "rests on.",
        "`rfav recommend` says which checkpoint to keep: of a net that is only overconfident that is seldom an early "
        "one, as its accuracy is no worse at the end, and one temperature (`rfav calibrate`) takes back what the "
        "loss has risen. It also says whether training again with penalties has helped nets of this make, and what "
        "else has.",
    ),
    CheckRule(
        "RFAV002",
        "collapsed-layer",
        "flag",
        "A layer's activations have grown, or lost their shape, so far that its entropy has collapsed.",
        "The entropy of a layer's softmax falls when its activations grow, which is what overconfidence is made of, "
        "and when their shape changes, so that fewer filters take part. The message says how much of the fall is "
        "which: growth alone leaves the share of filters that take part as it was. In a run that overfits, what was "
        "lost since the onset of overfitting counts; in others, what was lost of the shape.",
        "Look at the layer with `rfav show`, which gives its scale, its entropy at unit scale, its effective rank "
        "and its dead units. Growth is held back by weight decay, normalisation, or a penalty where `rfav recommend` "
        "advises one. A layer whose shape or rank is lost may be narrower.",
    ),
    CheckRule(
        "RFAV003",
        "falling-layer",
        "flag",
        "A layer's entropy falls since the onset of overfitting, but has not collapsed.",
        "The layer has lost more than the threshold `fall` since the run began to overfit, and less than `collapse`, "
        "by growth of its activations or by a loss of their shape; the message says which. Asked for with `--fail-on "
        "falling`, which flags collapsed layers as well.",
        "It is an early sign, and by itself no reason to train otherwise: look at what the run as a whole is said to "
        "be.",
    ),
    CheckRule(
        "RFAV004",
        "correlated-filters",
        "flag",
        "The filters of a layer are alike.",
        "The mean absolute correlation of the layer's filters is further above that of random filters than the "
        "threshold `correlated` allows, throughout the run or increasingly. Asked for with `--fail-on correlated`.",
        "Train with the decorrelation penalty on this layer (`rfav recommend --rule balanced` gives its kappa), or "
        "make it narrower.",
    ),
    CheckRule(
        "RFAV005",
        "low-entropy",
        "flag",
        "A layer's entropy is below the limit.",
        "The mean entropy of the layer in the last checkpoint, as a fraction of ln D, is below what `min-entropy` "
        "asks for.",
        "See whether the limit is right for this layer: later layers and dense ones have less. If it is, train again "
        "with a penalty on the layer.",
    ),
    CheckRule(
        "RFAV006",
        "high-correlation",
        "flag",
        "The filters of a layer are more alike than the limit allows.",
        "The mean absolute correlation of the layer's filters in the last checkpoint is above `max-correlation`.",
        "See whether the limit is right: filters with few weights are more alike by chance. If it is, train again "
        "with the decorrelation penalty.",
    ),
    CheckRule(
        "RFAV007",
        "low-accuracy",
        "flag",
        "The accuracy on the probe is below the limit.",
        "The accuracy of the last checkpoint on the probe is below `min-accuracy`.",
        "Check that the samples enter the net as in training (`--mean`, `--std`, `--classes`), then train longer, or "
        "ship an earlier checkpoint.",
    ),
    CheckRule(
        "RFAV008",
        "accuracy-drop",
        "flag",
        "The accuracy on the probe has dropped below the baseline's.",
        "The accuracy of the last checkpoint is further below that of the baseline than `max-accuracy-drop` allows, "
        "on the same samples.",
        "`rfav compare` says how sure the difference is. If it is meant, write a new baseline and commit it.",
    ),
    CheckRule(
        "RFAV009",
        "entropy-drop",
        "flag",
        "A layer's entropy has dropped below the baseline's.",
        "The entropy of the layer in the last checkpoint, as a fraction of ln D, is further below that of the "
        "baseline than `max-entropy-drop` allows.",
        "`rfav compare` shows both runs, layer by layer. If the drop is meant, write a new baseline and commit it.",
    ),
    CheckRule(
        "RFAV010",
        "expired-exception",
        "flag",
        "An exception has expired.",
        "The last day of an exception under `allow` has passed. It allows nothing any more, and is flagged itself, "
        "whether or not what it allowed is still there: somebody has said that this would be settled by now.",
        "Remove the exception, or give it a new date and a reason that still holds.",
    ),
    CheckRule(
        "RFAV101",
        "no-verdict",
        "no verdict",
        "Nothing can be said of the run.",
        "The verdict is `unknown`: too few epochs, or nothing that can be judged. The message says which.",
        "Analyze the whole run. One checkpoint alone is judged by limits or a baseline with `--final`.",
    ),
    CheckRule(
        "RFAV102",
        "missing-epoch",
        "no verdict",
        "Epochs are missing, or lack figures.",
        "The epochs of the store do not follow one another in equal steps, do not reach `last-epoch`, or one of them "
        "has no finite loss or entropy, so what happened there is not known.",
        "Measure the missing checkpoints. Where they are gone for good, `--allow-gaps` goes on without them.",
    ),
    CheckRule(
        "RFAV103",
        "missing-layer",
        "no verdict",
        "A layer that the policy or the baseline names is not measured.",
        "A glob of a limit matches no layer of the store, the baseline has a layer that the store has not, or one of "
        "another width.",
        "Correct the glob, measure the layer (`rfav analyze --layers`), or write a new baseline for the changed net.",
    ),
    CheckRule(
        "RFAV104",
        "unfit-probe",
        "no verdict",
        "The probe does not answer what is asked.",
        "An accuracy is asked for and the probe has no labels, the baseline was measured on other samples.",
        "Analyze with a labelled probe, or the baseline's.",
    ),
    CheckRule(
        "RFAV105",
        "bad-checkpoint",
        "no verdict",
        "A checkpoint could not be used.",
        "The store lists a file that was skipped as no checkpoint of this net (`rfav analyze --skip-bad`).",
        "Restore or delete the file, then analyze with `--fresh`.",
    ),
    CheckRule(
        "RFAV106",
        "missing-figure",
        "no verdict",
        "A figure that a limit is set on is not there.",
        "The last checkpoint has no finite value of what is limited: a layer with one channel has no entropy to "
        "limit, a store without correlations none of those.",
        "Leave the layer out of the glob, or analyze again so that the figure is measured.",
    ),
    CheckRule(
        "RFAV107",
        "unfit-baseline",
        "no verdict",
        "The baseline cannot be compared with.",
        "It was measured with other settings (`--with-bias`, `--no-fold-norm`), so that entropies mean something else, "
        "or it lacks a figure that is to be compared.",
        "Write the baseline from a store that was analyzed with the same options.",
    ),
    CheckRule(
        "RFAV108",
        "not-learning",
        "no verdict",
        "The net has learned nothing.",
        "The predictions are no better than chance in every epoch, or the same class for all samples: a learning "
        "rate at which nothing moves, units that have all died, labels in another order. Its losses do not rise, and "
        "there is nothing in it to ship. No exception allows it.",
        "Look at the learning rate, at the share of dead units (`rfav show --format json`), and at the order of the "
        "classes and the normalisation of the samples.",
    ),
    CheckRule(
        "RFAV109",
        "broken",
        "no verdict",
        "The net fell to chance and stayed there.",
        "It had learned something, and from the epoch that is named on its predictions are no better than chance, or "
        "the same class for all samples. One step that was too large does that. It is no overfitting, and no penalty "
        "mends it. No exception allows it.",
        "Go on from the checkpoint before, which `rfav recommend` names, with a lower learning rate or clipped "
        "gradients.",
    ),
    CheckRule(
        "RFAV110",
        "diverged",
        "no verdict",
        "The training diverged.",
        "From the epoch that is named to the last, the loss, the class scores or an entropy is not finite, or the loss "
        "has no bounds any more. No exception allows it.",
        "The last checkpoint before it did can still be used; `rfav recommend` names it.",
    ),
    CheckRule(
        "RFAV111",
        "unclear",
        "unclear",
        "What was measured does not decide whether the run overfits.",
        "Neither that the run overfits nor that it does not is sure enough: the probe is small, the epochs are few, or "
        "there are no labels, without which there is evidence for overfitting but none against it. Held against "
        "`--fail-on overfitting`, which is asked for by default.",
        "Measure on a labelled probe, a larger one (`--probe-size`), or more epochs. Where there are no labels, say so "
        "once: `--allow 'RFAV111 until 2027-01-31: no labels'`.",
    ),
    CheckRule(
        "RFAV201",
        "chance-in-the-net",
        "doubt",
        "The net gives other figures for the same samples each time.",
        "Two forwards of the same samples through the same weights differ, from the layer that is named on. So the "
        "figures are not reproducible, and neither is the verdict. A dropout that does not ask whether the net is "
        "being trained is the usual cause (`F.dropout(x)` for `F.dropout(x, training=self.training)`). Or the samples "
        "differ: their code augments them, or draws at random which ones it gives.",
        "Switch the chance off in evaluation, in the net and in the samples. If it is meant, allow this finding with a "
        "reason.",
    ),
    CheckRule(
        "RFAV202",
        "batch-dependence",
        "doubt",
        "A sample's figures depend on the other samples of its batch.",
        "The same samples give other figures in batches of half the size, from the layer that is named on: batch "
        "normalisation without running statistics, attention across the batch, experts with a limited capacity. So "
        "the figures depend on `--batch-size`.",
        "Make the net treat each sample by itself in evaluation. If it is meant, allow this finding with a reason.",
    ),
    CheckRule(
        "RFAV203",
        "ambiguous-output",
        "doubt",
        "Another output of the net may hold the class scores.",
        "The net returns several tensors, and which of them holds the class scores could not be told for sure. Loss, "
        "accuracy and the choice of the classifier rest on it.",
        "Name the output with `--output`, and analyze with `--fresh`.",
    ),
    CheckRule(
        "RFAV204",
        "unfit-classes",
        "doubt",
        "The probe's classes are not those of the net.",
        "The probe has other classes than the net has outputs for, or one class alone, or the net knows them in "
        "another order. So the loss and the accuracy are those of other labels, or say nothing of the other classes.",
        "Give a probe with all classes, or their order with `--classes`, and analyze with `--fresh`.",
    ),
    CheckRule(
        "RFAV205",
        "unfit-normalisation",
        "doubt",
        "The probe is normalised unlike the samples that the net was trained on.",
        "At the net's first batch normalisation the mean and the variance of what the probe gives are not those that "
        "the net kept from its training.",
        "Give the training's `--mean` and `--std`; images in bytes are divided by 255 first. Analyze with `--fresh`.",
    ),
    CheckRule(
        "RFAV206",
        "chance-accuracy",
        "doubt",
        "The predictions are no better than guessing in any epoch.",
        "A net that has learned its classes has, in some epoch, a lower held-out loss than guessing each class as "
        "often as it is there, and is right more often than always giving the most frequent one. Either the probe is "
        "not the net's (other classes, another normalisation), or the net has learned nothing that holds for it.",
        "Check the order of the classes and the normalisation. If the net has not learned, there is nothing to ship.",
    ),
    CheckRule(
        "RFAV207",
        "foreign-checkpoint",
        "doubt",
        "Some checkpoints are not of the same run as the others.",
        "The weights of the checkpoints that are named have nothing to do with those of their neighbours, or are the "
        "same ones: a file of another run, two runs in one folder, a training that began anew, a copy.",
        "Give the checkpoints of one training alone, and analyze with `--fresh`.",
    ),
    CheckRule(
        "RFAV208",
        "misnamed-epoch",
        "doubt",
        "A checkpoint holds another epoch than its name says.",
        "The epoch that is stored in the file is not the one in its name, and not by the same step in all files. So "
        "the order of the epochs is uncertain.",
        "Rename the file, or say with `--epochs` where the epoch stands in the names; analyze with `--fresh`.",
    ),
    CheckRule(
        "RFAV209",
        "trained-probe",
        "doubt",
        "Samples of the probe are among those that the net was trained on.",
        "Some held-out samples are, value for value, among the training samples that were given with `--train-probe`. "
        "Those are a part of what the net was trained on, so more of the probe may be. What a net has seen in its "
        "training says nothing of overfitting.",
        "Give a probe of samples that the net was not trained on, and analyze with `--fresh`. If the data has "
        "duplicates by its nature, allow this finding with a reason.",
    ),
)

DOUBT_RULES: dict[DoubtKind, str] = {
    "chance": "RFAV201",
    "batch": "RFAV202",
    "output": "RFAV203",
    "classes": "RFAV204",
    "normalisation": "RFAV205",
    "accuracy": "RFAV206",
    "run": "RFAV207",
    "epoch": "RFAV208",
    "training": "RFAV209",
}
"""Kind of a doubt -> the rule that keeps it from passing."""

RULES = {rule.id: rule for rule in _RULES}
"""Id -> rule. An id is never given to another rule."""
