"""`rfav check`."""

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from rfav_cli.cli import options, values
from rfav_cli.cli.allowances import FORM, allowance
from rfav_cli.cli.options import Device, Layout, flag, option
from rfav_cli.cli.output import emit
from rfav_cli.cli.thresholds import with_thresholds
from rfav_cli.thresholds import Thresholds

POLICY, BASELINE, TOLD = "What is flagged", "Against a baseline", "What is told"
NET, SAMPLES, RUN = "Checkpoints: the net", "Checkpoints: the probe", "Checkpoints: how they are analysed"


class Format(str, enum.Enum):
    """What is printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    junit = "junit"
    github = "github"
    gitlab = "gitlab"
    markdown = "markdown"


def _explain(rule: str | None) -> None:
    if rule is not None:
        import rfav_cli

        emit(rfav_cli.explain(rule))
        raise typer.Exit


@with_thresholds
def check(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="STORE|CHECKPOINTS", help="Stores (.h5), or checkpoints of one run with --probe."),
    ] = ["rfav.h5"],  # noqa: B006 - typer never hands it out
    fail_on: Annotated[
        Any,
        option(
            POLICY,
            "States that are flagged, with commas: collapsed, overfitting, falling (or worse), correlated; or none.",
            parser=values.states,
            metavar="STATES",
        ),
    ] = ("collapsed", "overfitting"),
    min_entropy: Annotated[
        list[Any],
        option(
            POLICY,
            "Least entropy of layers in the last checkpoint, as a fraction of ln D; can be repeated. X alone: of all.",
            parser=values.per_layer,
            metavar="[GLOB=]X",
        ),
    ] = [],  # noqa: B006
    max_correlation: Annotated[
        list[Any],
        option(
            POLICY,
            "Largest mean |correlation| of the filters of layers, likewise.",
            parser=values.per_layer,
            metavar="[GLOB=]X",
        ),
    ] = [],  # noqa: B006
    min_accuracy: Annotated[
        Any, option(POLICY, "Least accuracy on the probe, from 0 to 1.", parser=values.share, metavar="X")
    ] = None,
    allow: Annotated[
        list[Any],
        option(
            POLICY,
            f"An exception: '{FORM}'; can be repeated. An expired one is flagged.",
            parser=allowance,
            metavar="EXCEPTION",
        ),
    ] = [],  # noqa: B006
    final: Annotated[
        bool, flag(POLICY, "Judge the last checkpoint alone, by limits and the baseline; no states.", "--final")
    ] = False,
    allow_gaps: Annotated[
        bool, flag(POLICY, "Go on where epochs are missing or lack figures.", "--allow-gaps")
    ] = False,
    last_epoch: Annotated[
        int | None, option(POLICY, "The epoch that must have been reached.", min=0, metavar="N")
    ] = None,
    baseline: Annotated[
        Path | None,
        option(BASELINE, "The store of a good run, or what --write-baseline wrote.", metavar="FILE"),
    ] = None,
    max_accuracy_drop: Annotated[
        Any,
        option(
            BASELINE,
            "How far the accuracy may be below the baseline's; 0.02 by default.",
            parser=values.share,
            metavar="X",
        ),
    ] = None,
    max_entropy_drop: Annotated[
        list[Any],
        option(
            BASELINE,
            "The same for the entropy of layers, as a fraction of ln D; 0.1 where nothing else is said.",
            parser=values.per_layer,
            metavar="[GLOB=]X",
        ),
    ] = [],  # noqa: B006
    write_baseline: Annotated[
        Path | None,
        option(
            BASELINE,
            "Where nothing is found, write the last figures as a small JSON file to be committed.",
            metavar="FILE",
        ),
    ] = None,
    format: Annotated[Format, option(TOLD, "How to print it.", "--format", "-f")] = Format.text,  # noqa: A002
    outputs: Annotated[
        list[str],
        option(
            TOLD,
            "FORMAT:FILE writes a file besides; can be repeated. FORMAT alone is printed. As a key: outputs.",
            "--output",
            "-o",
            metavar="FORMAT[:FILE]",
        ),
    ] = [],  # noqa: B006
    exit_zero: Annotated[
        bool, flag(TOLD, "End with exit code 0 whatever is found, for steps that only upload.", "--exit-zero")
    ] = False,
    _explained: Annotated[
        str | None,
        option(
            TOLD,
            "Print what a rule means and what to do, and nothing else.",
            "--explain",
            callback=_explain,
            is_eager=True,
            metavar="RULE",
        ),
    ] = None,
    quiet: Annotated[bool, flag(TOLD, "Say nothing while checkpoints are analysed.", "--quiet", "-q")] = False,
    probe: Annotated[str | None, option(SAMPLES, "Held-out samples, as for `rfav analyze`.", metavar="SAMPLES")] = None,
    probe_size: Annotated[
        int, option(SAMPLES, "Samples to run; chosen evenly over the classes.", min=1, metavar="N")
    ] = 1000,
    mean: Annotated[Any, options.mean(SAMPLES)] = None,
    std: Annotated[Any, options.std(SAMPLES)] = None,
    resize: Annotated[Any, options.resize(SAMPLES)] = None,
    gray: Annotated[bool, options.gray(SAMPLES)] = False,
    layout: Annotated[Layout | None, options.layout(SAMPLES)] = None,
    classes: Annotated[Path | None, options.classes(SAMPLES)] = None,
    model: Annotated[
        str | None, option(NET, "What makes the net of a state_dict, as for `rfav analyze`.", metavar="SPEC")
    ] = None,
    model_arg: Annotated[list[str], options.model_arg(NET)] = [],  # noqa: B006
    output: Annotated[
        str | None,
        option(
            NET,
            "Index or key of the output that holds the class scores. As a key: output, as for `rfav analyze`.",
            "--scores",
            metavar="KEY",
        ),
    ] = None,
    epochs: Annotated[
        str | None,
        option(RUN, "File names, {epoch} where the epoch stands, as in 'net_{epoch}_*.pt'.", metavar="PATTERN"),
    ] = None,
    i_trust_this_pickle: Annotated[bool, options.trust(NET)] = False,
    device: Annotated[Device, options.device(RUN)] = Device.auto,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> None:
    """Decide whether a model may go on: 0 clean, 1 flagged, 2 where anything that was asked cannot be said."""
    import rfav_cli
    from rfav_cli.cli.check_messages import exit_code, reporting, say_what_became_of
    from rfav_cli.cli.check_outputs import printed_and_written, write_outputs
    from rfav_cli.cli.places import configured_at

    printed, written = printed_and_written(outputs, format.value)
    with reporting(paths, quiet=quiet) as report:
        done = rfav_cli.check(
            paths,
            fail_on=fail_on,
            min_entropy=min_entropy,
            max_correlation=max_correlation,
            min_accuracy=min_accuracy,
            baseline=baseline,
            max_accuracy_drop=max_accuracy_drop,
            max_entropy_drop=max_entropy_drop,
            allow=allow,
            final=final,
            allow_gaps=allow_gaps,
            last_epoch=last_epoch,
            write_baseline=write_baseline,
            probe=probe,
            model=model,
            model_arg=model_arg,
            output=output,
            epochs=epochs,
            probe_size=probe_size,
            mean=mean,
            std=std,
            resize=resize,
            gray=gray,
            layout=layout.value if layout else None,
            classes=classes,
            device=device.value,
            i_trust_this_pickle=i_trust_this_pickle,
            thresholds=thresholds,
            place=configured_at("check"),
            report=report,
        )
    write_outputs(done, printed, written)
    say_what_became_of(done, write_baseline)
    raise typer.Exit(exit_code(done, exit_zero=exit_zero))
