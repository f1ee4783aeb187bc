"""Options that several commands have for what they print."""

from __future__ import annotations

from rfav_cli.cli import groups
from rfav_cli.options import Options, group, options_of
from rfav_cli.render.ci import CHECK_FORMATS


@group
class Printed(Options):
    """What some command prints."""

    format: str = groups.format_of("rfav_cli.render.ci:CHECK_FORMATS", "json")


def test_a_format_offers_the_names_of_its_table_and_begins_with_the_given_one() -> None:
    assert dict(options_of(Printed))["format"].names_of_choices() == CHECK_FORMATS
    assert Printed().format == "json"


def test_whoever_is_quiet_says_so_in_one_letter() -> None:
    assert dict(options_of(groups.Quiet))["quiet"].names == ("--quiet", "-q")
