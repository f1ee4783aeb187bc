"""The files of CI services that are written for a store."""

from __future__ import annotations

import io
import shlex

import pytest
import yaml

from rfav_cli.project.workflows import SERVICES

AWKWARD = "runs/my run's.h5"


@pytest.mark.parametrize("store", ["rfav.h5", AWKWARD])
@pytest.mark.parametrize("name", SERVICES)
def test_each_file_is_yaml_that_checks_the_store(name, store):
    document = yaml.safe_load(SERVICES[name].write(store))
    jobs = document["jobs"] if name == "github" else document
    steps = (
        jobs["rfav-check"]["steps"] if name == "github" else [{"run": line} for line in jobs["rfav-check"]["script"]]
    )
    (command,) = [step["run"] for step in steps if step.get("run", "").startswith("rfav check")]
    assert shlex.split(command)[:3] == ["rfav", "check", store]


def test_the_files_are_where_the_services_look():
    assert {name: service.file.as_posix() for name, service in SERVICES.items()} == {
        "github": ".github/workflows/rfav.yml",
        "gitlab": "rfav.gitlab-ci.yml",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_file_that_nobody_has_changed_is_told(name):
    service = SERVICES[name]
    for store in ("rfav.h5", AWKWARD, "x"):
        assert service.is_ours(io.BytesIO(service.write(store).encode()))
    written = service.write("rfav.h5")
    for text in ("", "name: mine\n", written + "# mine\n", written.replace("rfav.h5", "rfav.h5\n  - rm -r .")):
        assert not service.is_ours(io.BytesIO(text.encode()))
