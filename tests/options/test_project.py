"""The options of `init`."""

import pytest

from rfav_cli.errors import UsageError
from rfav_cli.options import Init
from rfav_cli.project.workflows import SERVICES


def test_the_current_folder_is_looked_at_by_default():
    assert (Init().folder, Init().model, Init().probe, Init().dry_run) == (".", None, None, False)


@pytest.mark.parametrize("service", SERVICES)
def test_the_services_are_those_of_the_table(service):
    assert Init(ci=service).ci == service
    with pytest.raises(UsageError, match="ci"):
        Init(ci="jenkins")
