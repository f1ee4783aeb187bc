import os

import pytest
import typer

from rfav_cli.cli.config import LARGEST, Takes, configured_at, defaults_of_project, lines_of_keys
from rfav_cli.records import SourceLocation

ONE, SEVERAL = Takes(False, "X"), Takes(True, "X")
OPTIONS = {
    "analyze": {
        "probe": ONE,
        "out": ONE,
        "with_bias": ONE,
        "layers": SEVERAL,
        "maps": ONE,
        "mean": ONE,
        "epochs": Takes(False, "PATTERN"),
    },
    "show": {"path": ONE, "format": ONE, "epochs": Takes(False, "")},
}


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
    ("given", "read"), [('"conv*"', ["conv*"]), ('["a", "b"]', ["a", "b"]), ("[]", []), ("3", ["3"])]
)
def test_one_value_will_do_where_several_are_taken(project, given, read):
    assert defaults_of_project(OPTIONS, project(f"[tool.rfav]\nlayers = {given}\n"))["analyze"] == {"layers": read}


def test_a_name_of_several_meanings_is_set_for_a_command(project):
    start = project("[tool.rfav.analyze]\nepochs = 'net_{epoch}.pt'\n[tool.rfav.show]\nepochs = true\n")
    assert defaults_of_project(OPTIONS, start) == {"analyze": {"epochs": "net_{epoch}.pt"}, "show": {"epochs": True}}


def test_a_list_is_read_as_the_command_line_has_it(project):
    start = project("[tool.rfav]\nmean = [0.5, 0.4, 0.3]\n")
    assert defaults_of_project(OPTIONS, start)["analyze"] == {"mean": "0.5,0.4,0.3"}


def test_a_file_that_cannot_be_read_is_a_usage_error(project, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "pyproject.toml")

    start = project("")
    monkeypatch.setattr("rfav_cli.cli.config.open_regular", refuse)
    with pytest.raises(typer.BadParameter, match=r"pyproject\.toml: Permission denied$"):
        defaults_of_project(OPTIONS, start)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.rfav]\nprobes = 1\n", "'probes'"),
        ("[tool.rfav.show]\nprobe = 1\n", r"tool\.rfav\.show\].*'probe'"),
        ("[tool.rfav.shw]\nformat = 1\n", "shw"),
        ("[tool]\nrfav = 3\n", "no table"),
        (
            "[tool.rfav]\nepochs = 3\n",
            r"epochs: .*\[tool\.rfav\.analyze\] \(PATTERN\), \[tool\.rfav\.show\] \(a flag\)$",
        ),
        ("[tool.rfav\n", "pyproject.toml"),
    ],
)
def test_mistakes_are_usage_errors(project, text, words):
    with pytest.raises(typer.BadParameter, match=words):
        defaults_of_project(OPTIONS, project(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("with-bias = 1", r"\[tool\.rfav\] with-bias: '1' is neither true nor false$"),
        ("with-bias = ''", "neither true nor false"),
        ("with-bias = [true]", "neither true nor false"),
        ("layers = true", r"layers: True is no X$"),
        ("layers = ['conv*', true]", r"layers: True is no X$"),
        ("layers = [['conv*']]", r"layers: a list is no X$"),
        ("probe = 2027-01-31", r"probe: 2027-01-31 is no X$"),
        ("mean = [0.5, true]", r"mean: True is no X$"),
        ("mean = [{a = 1}]", r"mean: a table is no X$"),
        ("[tool.rfav.analyze]\nprobe = {a = 1}", r"\[tool\.rfav\.analyze\] probe: a table is no X$"),
    ],
)
def test_what_no_option_takes_is_refused_by_its_key(project, text, words):
    options = {"analyze": OPTIONS["analyze"] | {"with_bias": Takes(False, "")}}
    with pytest.raises(typer.BadParameter, match=words):
        defaults_of_project(options, project(f"[tool.rfav]\n{text}\n"))


TYPED = {
    "watch": {
        "on_collapse": Takes(False, "CMD", "never", "--on-collapse"),
        "trust": Takes(False, "", "never", "--trust"),
    },
    "check": {
        "outputs": Takes(True, "FORMAT[:FILE]", "inside", "--output"),
        "out": Takes(False, "FILE", "inside", "-o"),
    },
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "trust = true",
            r"pyproject\.toml: \[tool\.rfav\] trust: taken from the command line alone, .*; type --trust$",
        ),
        ("trust = 'yes'", "type --trust$"),
        ("[tool.rfav.watch]\non-collapse = 'rm x'", r"\[tool\.rfav\.watch\] on-collapse: .*; type --on-collapse CMD$"),
    ],
)
def test_what_runs_code_is_typed(project, text, words):
    with pytest.raises(typer.BadParameter, match=words):
        defaults_of_project(TYPED, project(f"[tool.rfav]\n{text}\n"), command="check")


def test_what_allows_nothing_may_be_written_down(project):
    assert defaults_of_project(TYPED, project("[tool.rfav]\ntrust = false\n"))["watch"] == {"trust": False}


@pytest.fixture
def below(project, monkeypatch):
    def write(text):
        start = project(text)
        (start.parents[1] / "away").symlink_to(start.parents[2])
        monkeypatch.chdir(start)
        return defaults_of_project(TYPED, start, command="check")["check"]

    return write


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("'../../../x.json'", "../../../x.json"),
        ("'/etc/x.json'", "/etc/x.json"),
        ("'../../away/x.json'", "../../away/x.json"),
        ("'s3://bucket/x.json'", "s3://bucket/x.json"),
    ],
)
def test_a_place_to_write_outside_of_the_files_folder_is_typed(below, value, shown):
    with pytest.raises(typer.BadParameter, match=rf"out: '{shown}' is outside of .*; type -o {shown}$"):
        below(f"[tool.rfav]\nout = {value}\n")


@pytest.mark.parametrize("value", ["'json:../../../x'", "['text', 'sarif:/tmp/x']", "['json:../../away/x']"])
def test_so_is_that_of_a_format(below, value):
    with pytest.raises(typer.BadParameter, match=r"outputs: .* is outside of .*; type --output "):
        below(f"[tool.rfav.check]\noutputs = {value}\n")


@pytest.mark.parametrize("value", ["'x.json'", "'../x.json'", "'runs/a:b.json'"])
def test_places_in_the_folder_and_below_are_taken(below, value):
    assert below(f"[tool.rfav]\nout = {value}\noutputs = ['json:x.json', 'text']\n") == {
        "out": value.strip("'"),
        "outputs": ["json:x.json", "text"],
    }


def test_places_of_a_command_that_is_not_run_do_no_harm(project):
    start = project("[tool.rfav]\nout = '/x.json'\n")
    assert defaults_of_project(TYPED, start, command="watch")["check"] == {"out": "/x.json"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[tool.rfav]\nx = " + b"[" * 20_000 + b"]" * 20_000, "nested too deeply"),
        (b"[tool.rfav]\nx = " + b"{a = " * 5_000 + b"1" + b"}" * 5_000, "nested too deeply"),
        (b"[tool.rfav]\n" + b"a." * 90_000 + b"a = 1", "line 2: a key of more than 100 parts"),
        (b"# \xff\n", "line 1: not UTF-8"),
        (b"#" * LARGEST + b"\n", "too large"),
        (b"x = " + b"9" * 10_000, "."),
        (b"tool = 3", "no table"),
        (b"\x00", "line 1"),
    ],
    ids=["deep", "inline", "dotted", "latin", "large", "digits", "number", "zero"],
)
def test_no_file_is_more_than_a_usage_error(project, content, words):
    start = project("")
    (start.parents[1] / "pyproject.toml").write_bytes(content)
    with pytest.raises(typer.BadParameter, match=rf"pyproject\.toml[:,].*{words}"):
        defaults_of_project(TYPED, start)


@pytest.mark.parametrize(("make", "words"), [(os.mkfifo, "a FIFO"), (os.mkdir, "a folder")])
def test_what_is_no_file_is_not_waited_for(project, make, words):
    start = project("")
    make(start / "pyproject.toml")
    with pytest.raises(typer.BadParameter, match=f"is {words}, not a regular file"):
        defaults_of_project(TYPED, start)
    assert configured_at("check", start) == SourceLocation()


CHECKED = "[project]\nname = 'x'\n\n[tool.rfav]\nfinal = true\n\n[tool.rfav.check]\nmin-accuracy = 0.5\n"


def test_where_a_check_is_configured_is_told_from_the_top_of_the_repository(tmp_path, project):
    below = project(CHECKED)
    (tmp_path / ".git").mkdir()
    location = configured_at("check", below, {})
    assert location.path == "pyproject.toml"
    assert [location.line(key) for key in ("", "final", "min-accuracy", "max-accuracy")] == [7, 5, 8, 7]


def test_a_workflow_is_named_where_the_project_sets_nothing(tmp_path, project):
    below = project("[project]\nname = 'x'\n")
    (tmp_path / ".git").mkdir()
    workflow = {"GITHUB_WORKFLOW_REF": "owner/name/.github/workflows/ci.yml@refs/heads/main"}
    assert configured_at("check", below, workflow) == SourceLocation(".github/workflows/ci.yml")
    assert configured_at("check", below, {}) == SourceLocation("pyproject.toml")


def test_a_project_above_the_repository_is_none_of_it(tmp_path, project):
    below = project(CHECKED)
    (below / ".git").mkdir()
    assert configured_at("check", below, {}) == SourceLocation()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[tool.rfav]\nmin_accuracy = 1", {"": 1, "min-accuracy": 2}),
        ("[tool]\nrfav.check.final = true", {"": 2, "final": 2}),
        ('[tool."rfav".check]\n"allow-gaps" = true', {"": 1, "allow-gaps": 2}),
        ("[tool.other]\nmin-accuracy = 1", {}),
        ("no toml at [all", {}),
    ],
)
def test_lines_of_keys_however_they_are_written(text, lines):
    assert lines_of_keys(text, "check") == lines
