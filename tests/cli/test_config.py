import pytest
import typer

from rfav_cli.cli.config import defaults_of_project

OPTIONS = {"analyze": {"probe", "out", "with_bias", "layers", "maps"}, "show": {"path", "format"}}


@pytest.fixture
def project(tmp_path):
    def write(text):
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        below = tmp_path / "a" / "b"
        below.mkdir(parents=True)
        return below

    return write


def test_no_project_sets_nothing(tmp_path):
    assert defaults_of_project(OPTIONS, tmp_path) == {}


def test_keys_hold_for_the_commands_that_have_the_option(project):
    start = project('[tool.rfav]\nprobe = "held_out"\nwith-bias = true\nmaps = 8\nlayers = ["conv*"]\n')
    assert defaults_of_project(OPTIONS, start) == {
        "analyze": {"probe": "held_out", "with_bias": True, "maps": "8", "layers": ["conv*"]},
        "show": {},
    }


def test_a_table_holds_for_its_command_and_wins(project):
    start = project('[tool.rfav]\nprobe = "a"\n[tool.rfav.analyze]\nprobe = "b"\n[tool.rfav.show]\nformat = "json"\n')
    assert defaults_of_project(OPTIONS, start) == {"analyze": {"probe": "b"}, "show": {"format": "json"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.rfav]\nprobes = 1\n", "'probes'"),
        ("[tool.rfav.show]\nprobe = 1\n", r"tool\.rfav\.show\].*'probe'"),
        ("[tool.rfav.shw]\nformat = 1\n", "shw"),
        ("[tool]\nrfav = 3\n", "no table"),
        ("[tool.rfav\n", "pyproject.toml"),
    ],
)
def test_mistakes_are_usage_errors(project, text, words):
    with pytest.raises(typer.BadParameter, match=words):
        defaults_of_project(OPTIONS, project(text))
