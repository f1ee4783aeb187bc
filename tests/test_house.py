"""What holds the house together: documents, tables of names, options and rooms say the same."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
import types
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
import typer

import rfav_cli
from rfav_cli import options, render, statistics
from rfav_cli.activations import networks, specs
from rfav_cli.checkpoints import formats, inspection
from rfav_cli.cli import app
from rfav_cli.cli.options import PANELS
from rfav_cli.data import sources, transforms
from rfav_cli.diagnosis.rules import DOUBT_RULES
from rfav_cli.diagnosis.rules import RULES as CHECK_RULES
from rfav_cli.options import FIRST, Option, Options, options_of
from rfav_cli.records import DOUBT_KINDS
from rfav_cli.records.verdict import RunState
from rfav_cli.render import ci as render_check
from rfav_cli.render import figures
from rfav_cli.statistics import tasks
from rfav_cli.statistics.base import Statistic
from rfav_cli.training import integrations
from tests.statistics.shown import measured, unseen

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "rfav_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))
WITH_EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in MODULES
    if ">>> " in path.read_text(encoding="utf-8")
]

TABLES = {
    "checkpoints/formats/": ("checkpoints", tuple(formats.FORMATS)),
    "checkpoints/inspection/": ("inspections", inspection.INSPECTIONS),
    "activations/networks/": ("networks", networks.KINDS),
    "activations/specs/": ("specs", tuple(specs.SPECS)),
    "data/sources/": ("samples", sources.SOURCES),
    "data/transforms/": ("transforms", transforms.TRANSFORMS),
    "statistics/": ("statistics", tuple(statistics.STATISTICS)),
    "statistics/tasks/": ("tasks", tuple(tasks.TASKS)),
    "render/text/": ("formats", render.FORMATS),
    "render/figures/": ("figures", figures.FIGURES),
    "render/ci/": ("check-formats", render_check.CHECK_FORMATS),
    "training/integrations/": ("integrations", integrations.INTEGRATIONS),
}
"""Folder of plug-ins -> (its name in the README's marks, its table of names)."""

NO_PLUG_INS = {"__init__", "base"}

RECORDS: dict[str, type[Options]] = {
    "init": options.Init,
    "analyze": options.Analyze,
    "watch": options.Watch,
    "layers": options.Layers,
    "show": options.Show,
    "plot": options.Plot,
    "check": options.Check,
    "report": options.Report,
    "compare": options.Compare,
    "recommend": options.Recommend,
    "calibrate": options.Calibrate,
    "train": options.Train,
    "pack": options.Pack,
    "scan": options.Scan,
    "doctor": options.Doctor,
}
"""Command -> its options."""

CALLS: dict[str, Callable[..., Any]] = {
    name: rfav_cli.examine if name == "doctor" else getattr(rfav_cli, name) for name in RECORDS
}
"""Command -> the call of the API that does the same."""

DECLARED_AGAIN = {
    "batch_size": "samples a forward, which can be found out, or a step, which changes the training",
    "epochs": "names of files, epochs to draw, epochs to train, or rows to print",
    "folder": "where checkpoints come to, or where a store is to go",
    "format": "one function makes it, from the table of what the command prints",
    "layers": "to measure, or to draw",
    "maps": "of how many samples they are kept, or shown",
    "model": "what makes a net, or the net itself",
    "out": "the store, the folder of a run, the recipe, the page, the figure, the temperature",
    "output": "is --scores where --output writes a file",
    "path": "of a store that may be the usual one or a checkpoint instead, or that is changed and so must be named",
    "paths": "stores, stores and checkpoints, or files of any kind",
    "probe": "must be given, may be left out, or is an argument",
    "quiet": "what is still said differs",
    "ranks": "share a training, or checkpoints",
    "report": "hears of a whole run, of what is analysed on the way, or of what a figure skips",
    "seed": "of the choice of samples, or of all that a training draws",
    "store": "where it goes, or which is judged",
}
"""Option that several groups declare -> how its meaning differs; whatever means the same is declared once."""

MOST_PARAMETERS = 8
MOST_LINES = 400
"""Of a module; from 250 on one asks whether it is one thing."""
LONG_FUNCTIONS: set[str] = set()
"""Functions that are longer than the house's rule, and why."""


def marked_rows(document: str, name: str) -> list[list[str]]:
    """The cells of the table that follows `<!-- names: NAME -->`, without its header."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.search(rf"<!-- names: {name} -->\n((?:\|.*\n)+)", text)
    assert found, f"{document} marks no table of {name}"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()[2:]]


def quoted(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


@pytest.mark.parametrize("folder", TABLES)
def test_each_plug_in_is_in_its_table_and_back(folder: str) -> None:
    _, names = TABLES[folder]
    files = {path.stem for path in (PACKAGE / folder).glob("*.py")} - NO_PLUG_INS
    assert files == {name.replace("-", "_") for name in names}


def test_the_readme_lists_each_kind_of_doubt_with_its_rule() -> None:
    rows = [(quoted(row[0])[0], row[-1]) for row in marked_rows("README.md", "doubts")]
    assert rows == [(kind, DOUBT_RULES[kind]) for kind in DOUBT_KINDS]


def test_the_readme_lists_each_state_of_a_run() -> None:
    assert tuple(quoted(row[0])[0] for row in marked_rows("README.md", "run-states")) == get_args(RunState)


@pytest.mark.parametrize("folder", TABLES)
def test_the_readme_lists_each_plug_in(folder: str) -> None:
    mark, names = TABLES[folder]
    assert tuple(quoted(row[0])[0] for row in marked_rows("README.md", mark)) == tuple(names)


def test_each_statistic_gives_figures_that_are_shown() -> None:
    assert unseen(measured(seed=1)) == []


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("my/figure", np.full(2, np.nan)),  # nothing in it
        ("my/cube", np.ones((3, 4, 5))),  # no place in any output
        ("my/maps", np.ones((4, 2, 2), np.float32)),
    ],
)
def test_a_statistic_that_nobody_sees_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, row: NDArray[Any]) -> None:
    class Bad(Statistic):
        def compute(self) -> dict[str, NDArray[Any]]:
            return {name: row, "my/seen": np.ones(2)}

    module: Any = types.ModuleType(f"{statistics.__name__}.bad")
    module.Bad = Bad
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(statistics.STATISTICS, "bad", "Bad")
    assert unseen(measured(seed=1)) == [name]


def test_the_contributors_guide_lists_each_folder_of_plug_ins() -> None:
    listed = {quoted(row[1])[0]: quoted(row[2])[0] for row in marked_rows("CONTRIBUTING.md", "all")}
    assert list(listed) == list(TABLES)
    for folder, table in listed.items():
        module = importlib.import_module(f"rfav_cli.{folder.strip('/').replace('/', '.')}")
        assert tuple(getattr(module, table)) == TABLES[folder][1]


def offered(command: str, name: str) -> tuple[str, ...]:
    """The names that an option offers."""
    (callback,) = (known.callback for known in app.registered_commands if known.callback.__name__ == command)
    choices = inspect.signature(callback).parameters[name].annotation.__origin__
    return tuple(choice.value for choice in choices)


CHOICES = [
    (name, option_name, described)
    for name, record in RECORDS.items()
    for option_name, described in options_of(record)
    if isinstance(described.choices, str) and described.read is None
]


@pytest.mark.parametrize(("command", "name", "described"), CHOICES)
def test_an_option_that_names_a_table_offers_its_names(command: str, name: str, described: Option) -> None:
    assert offered(command, name) == described.names_of_choices()
    assert len(described.names_of_choices()) > 1


@pytest.mark.parametrize(
    ("command", "table"),
    [
        ("show", render.FORMATS),
        ("check", render_check.CHECK_FORMATS),
        ("doctor", render.FINDING_FORMATS),
        ("compare", render.COMPARISON_FORMATS),
        ("layers", render.LAYER_LIST_FORMATS),
        ("recommend", render.RECIPE_FORMATS),
        ("calibrate", render.CALIBRATION_FORMATS),
        ("scan", render.SCAN_FORMATS),
    ],
)
def test_the_command_line_offers_each_format(command: str, table: tuple[str, ...]) -> None:
    assert offered(command, "format") == table


def test_each_rule_has_its_page_and_each_page_its_rule() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "rules").iterdir()}
    assert pages == {rule.id: rfav_cli.explain(rule.id) for rule in CHECK_RULES.values()}
    assert [rule.id for rule in CHECK_RULES.values()] == sorted(CHECK_RULES)
    assert len({rule.name for rule in CHECK_RULES.values()}) == len(CHECK_RULES)


def test_the_readme_lists_each_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `rfav (\w+)", text, re.MULTILINE)) == set(commands()) == set(CALLS)


def test_every_option_in_the_documents_exists() -> None:
    known = {name for command in commands().values() for param in command.params for name in param.opts}
    known |= {"--help", "--version", "--traceback", "--no-..."}
    known |= {"--nproc-per-node"}  # of torchrun
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", lambda block: "\n".join(re.findall(r"rfav .*", block[0])), text, flags=re.DOTALL)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", prose)) <= known


@pytest.mark.parametrize("name", CALLS)
def test_the_command_line_and_python_take_the_options_of_the_record(name: str) -> None:
    record = RECORDS[name]
    parameters = inspect.signature(CALLS[name]).parameters
    assert set(parameters) == {field.name for field in fields(record)}
    on_the_command_line = {parameter.name: parameter for parameter in commands()[name].params}
    for option_name, described in options_of(record):
        default = parameters[option_name].default
        assert (parameters[option_name].kind is inspect.Parameter.KEYWORD_ONLY) == (not described.positional)
        if described.keyword:
            assert option_name not in on_the_command_line
        else:
            assert on_the_command_line[option_name].required == (default is inspect.Parameter.empty)


@pytest.mark.parametrize("name", CALLS)
def test_each_option_has_a_sentence_a_panel_and_a_number_its_unit_and_range(name: str) -> None:
    for option_name, described in options_of(RECORDS[name]):
        assert re.fullmatch(r"[A-Zfsol].*\.", described.help, re.DOTALL), option_name
        assert described.panel or described.positional or described.keyword or name in {"pack", "doctor"}, option_name
        assert described.panel in {FIRST, "", *PANELS}, option_name
        if described.is_number:
            assert described.unit or option_name == "seed", option_name
            assert described.range()


@pytest.mark.parametrize("name", CALLS)
def test_the_docstring_says_each_option(name: str) -> None:
    text = CALLS[name].__doc__ or ""
    assert [option_name for option_name, _ in options_of(RECORDS[name]) if f"\n    {option_name}: " not in text] == []


def test_no_signature_is_wide() -> None:
    wide = {
        f"{path.relative_to(PACKAGE).as_posix()}:{function.name}"
        for path in MODULES
        for function in functions(path.read_text(encoding="utf-8"))
        if len(parameters_of(function)) > MOST_PARAMETERS
    }
    assert wide == set()


def test_no_option_is_declared_twice_unless_it_means_something_else() -> None:
    declared: dict[str, list[Option]] = {}
    meanings: dict[str, set[object]] = {}
    for record in groups_of_options(Options):
        for field in fields(record):
            if field.name in inspect.get_annotations(record) and "option" in field.metadata:
                described = field.metadata["option"]
                declared.setdefault(field.name, []).append(described)
                meaning = (described.help, described.choices, described.positional, described.keyword)
                meanings.setdefault(field.name, set()).add(meaning)
    assert {name for name, options_of_name in declared.items() if len(options_of_name) > 1} == set(DECLARED_AGAIN)
    assert {name for name, of_name in declared.items() if len(meanings[name]) < len(of_name)} <= {"format"}


def groups_of_options(record: type[Options]) -> set[type[Options]]:
    """The groups of the product that build on one, which are all once the command line is there."""
    below = {group for group in record.__subclasses__() if group.__module__.startswith("rfav_cli.")}
    return below | {group for direct in record.__subclasses__() for group in groups_of_options(direct)}


def test_no_enum_repeats_a_table() -> None:
    """Choices on the command line are made of the tables, in one place."""
    trees = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    uses = {name for name, tree in trees.items() for node in ast.walk(tree) if names_an_enum(node)}
    assert uses == {"cli/options.py"}
    assert not [n for n in ast.walk(trees["cli/options.py"]) if isinstance(n, ast.ClassDef)]


def names_an_enum(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name == "enum" for alias in node.names)
    return isinstance(node, ast.ImportFrom) and node.module == "enum"


def test_the_readme_names_the_keys_that_are_set_for_a_command() -> None:
    shown: dict[str, set[str]] = {}
    for command in commands().values():
        for parameter in command.params:
            if parameter.opts[0].startswith("-"):
                shown.setdefault(parameter.name.replace("_", "-"), set()).add(parameter.metavar or "")
    (listed,) = re.findall(
        r"that commands use for different things \(([^)]+)\)", (ROOT / "README.md").read_text("utf-8")
    )
    assert {*quoted(listed)} == {name for name, metavars in shown.items() if len(metavars) > 1}


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return [name for name in names if name not in {"self", "cls"}]


@pytest.mark.parametrize("name", CALLS)
def test_each_option_and_command_has_help(name: str) -> None:
    command = commands()[name]
    assert command.help
    assert [param.name for param in command.params if not getattr(param, "help", None)] == []


@pytest.mark.parametrize(("command", "option"), [("analyze", "probe"), ("train", "data")])
def test_the_help_names_each_source(command: str, option: str) -> None:
    (text,) = (param.help for param in commands()[command].params if param.name == option)
    assert re.findall(r"([\w-]+):PATH", text) == list(sources.NAMED)


@pytest.mark.parametrize("command", ["analyze", "watch", "layers", "calibrate", "train"])
def test_the_help_names_each_form_of_a_model(command: str) -> None:
    (text,) = (param.help for param in commands()[command].params if param.name == "model")
    assert [form for form in specs.SPECS.values() if form not in text] == []


@pytest.mark.parametrize(("command", "name", "described"), CHOICES)
def test_the_help_names_each_choice(command: str, name: str, described: Option) -> None:
    assert not described.metavar or {*described.names_of_choices()} <= {*re.findall(r"[\w-]+", described.help)}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["analyze", "--help"], ["watch", "--help"], ["show", "--help"], ["--version"]]
)
def test_start_up_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom rfav_cli.cli import run\n"
        f"assert run({arguments!r}) == 0\n"
        "print(sorted({'torch', 'numpy', 'matplotlib', 'h5py'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.splitlines()[-1] == "[]"


def test_showing_a_store_needs_no_torch() -> None:
    code = (
        "import sys, rfav_cli\n"
        "try:\n    rfav_cli.show('there-is-no-such-store.h5')\n"
        "except rfav_cli.RfavError:\n    import rfav_cli.render.text.table\n"
        "print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert result.failed == 0


def test_every_public_name_is_there() -> None:
    for name in rfav_cli.__all__:
        assert getattr(rfav_cli, name) is not None


def test_modules_and_functions_are_short() -> None:
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in MODULES}
    assert {name for name, source in sources.items() if source.count("\n") > MOST_LINES} == set()
    long = {f"{name}:{f.name}" for name, source in sources.items() for f in functions(source) if body_lines(f) > 40}
    assert long == LONG_FUNCTIONS


def test_each_module_has_its_tests_at_its_own_path() -> None:
    paths = {path.relative_to(PACKAGE) for path in MODULES if path.stem not in {"__init__", "__main__"}}
    assert {path.as_posix() for path in paths if not (ROOT / "tests" / path_of_tests(path)).exists()} == set()


def path_of_tests(module: Path) -> Path:
    """Where a module is tested: at its own path, but a command as its user runs it, in `acceptance`."""
    room = "acceptance" if module.parent == Path("cli") and module.stem in RECORDS else module.parent
    return Path(room) / f"test_{module.name}"


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the end."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_each_room_without_torch_is_in_the_contract() -> None:
    """import-linter cannot name a room that is not there yet, so one that comes later must be added."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}
    with_torch = {
        "activations",
        "chance",
        "checkpoints",
        "data",
        "distributed",
        "equations",
        "inputs",
        "measure",
        "nets",
        "project",
        "statistics",
        "training",
    }
    on_top = {"__init__", "__main__", "cli", "commands", "pytest_plugin", "tensorboard"}
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {f"rfav_cli.{room}" for room in rooms - with_torch - on_top} == {
        *contracts["without-torch"]["source_modules"]
    }


def test_no_path_of_a_machine_is_in_a_file_of_the_project() -> None:
    folders = ("work", "farm", "root", "home", "Users")
    pattern = re.compile(rb"(?<![\w.:~/])/(" + "|".join(folders).encode() + rb")/\w")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    texts = [path for path in paths if path.is_file() and path.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ""}]
    assert texts
    assert [str(path.relative_to(ROOT)) for path in texts if pattern.search(path.read_bytes())] == []


def test_the_marked_commands_are_one_line_each() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("run", "test"):
        found = re.findall(rf"<!-- fresh: {name} -->\n```bash\n(.*?)```", text, re.DOTALL)
        assert [command.count("\n") for command in found] == [1]
