"""Any legal TOML with a recipe's keys is read; what is wrong is said with its key, and no file does harm."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli import recipes
from rfav_cli.errors import RecipeError
from rfav_cli.files.toml import DEEPEST
from rfav_cli.recipes import schema
from rfav_cli.records import LayerRecipe, Recipe
from tests.recipes.examples import HOSTILE, RECIPE, any_recipe, held

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = (LayerRecipe("conv4", "", 0.001, 0.0), LayerRecipe("fc1", "", 0.0, 1.0))


def errors(text: str) -> list[str]:
    """The lines of the error that a text gives."""
    with pytest.raises(RecipeError) as error:
        recipes.parse(text, "recipe.toml")
    return str(error.value).splitlines()


@given(any_recipe())
@settings(deadline=None)
def test_what_is_written_is_what_is_read(recipe: Recipe) -> None:
    text = recipes.dump(recipe)
    assert recipes.parse(text, "x") == held(recipe)
    assert recipes.parse(text.replace("\n", "\r\n"), "x") == held(recipe)
    assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize(
    "layers",
    [
        "[[ layer ]]\n'name' = 'conv4'\n\"lambda\" = 1e-3 # no kappa\n[[layer]] # [a]\nkappa=1\nname = \"\\u0066c1\"",
        "layer = [{name = 'conv4', lambda = 0.001}, {kappa = 1.0, name = 'fc1'}]",
        "layer = [\n  {name = '''conv4''', lambda = 1_0e-4}, # a\n  {name = \"\"\"\\\n  fc1\"\"\", kappa = 0x1},\n]",
        '[["layer"]]\nname = "conv4"\n"lamb\\u0064a" = 0.001\n[["\\u006cayer"]]\nname = "fc1"\nkappa = 0b1\n',
    ],
)
def test_layers_in_every_way_that_toml_has(layers: str) -> None:
    assert recipes.parse(f"schema = 1\n{layers}", "x") == Recipe("", "", "", None, None, None, LAYERS)
    assert recipes.parse(f"schema = 1\n{layers}".replace("\n", "\r\n"), "x").layers == LAYERS


def test_the_run_in_every_way_that_toml_has() -> None:
    text = """
        layer = [
            {name = 'conv4', lambda = 0.001},
        ]
        centering = '''
paper'''
        "fold_norm" = false
        'rewind' = +1_1
        store = \"\"\"runs\\\\\\
            /rfav.h5\"\"\"
        checkpoint = '''run
1.pt'''
        schema = 0o1
    """
    layers = (LayerRecipe("conv4", "", 0.001, 0.0),)
    expected = Recipe(
        "", "runs\\/rfav.h5", "", 11, "run\n1.pt", None, layers, fold_norm=False, centering="paper", with_bias=False
    )
    assert recipes.parse(text, "x") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["recipe.toml: schema is missing; it must be 1"]),
        ("# rfav recipe\n", ["recipe.toml: schema is missing; it must be 1"]),
        (
            "schema = 1\n[[layer]]\nname = 'a'\nkappa = 1\n[layer.more]\nname = 'a'",
            ["recipe.toml: layer[0].more is no key of a recipe; here can be name, target, lambda, kappa"],
        ),
        (
            "schema = 1\nlayer.name = 'a'",
            ["recipe.toml: layer must be tables, each below a [[layer]], not {'name': 'a'}"],
        ),
        (
            "schema = 1\n[layer]\nname = 'a'",
            ["recipe.toml: layer must be tables, each below a [[layer]], not {'name': 'a'}"],
        ),
        (
            "[[layer]]\nname = 'a'\nkappa = 1\nschema = 1",
            [
                "recipe.toml: layer[0].schema belongs above the first [[layer]]",
                "recipe.toml: schema is missing; it must be 1",
            ],
        ),
        ("schema = 1\nname = 'a'\nname = 3", ["recipe.toml:3: Cannot overwrite a value"]),
        ("schema = 1\nrewind =\n", ["recipe.toml:2: Invalid value"]),
        ("schema = 1\n\n[[layer]\n", ["recipe.toml:3: Expected ']]' at the end of an array declaration"]),
        ("schema = 1\nstore = '''\n\n", ["recipe.toml:2: Expected \"'''\""]),
    ],
)
def test_what_is_wrong_is_said_with_its_key_or_its_line(text: str, said: list[str]) -> None:
    lines = errors(text)
    assert lines[: len(said)] == said
    assert lines[len(said) :] in ([], ["Mend it, or write a new recipe."])


def test_all_errors_come_at_once_but_not_without_end() -> None:
    text = "schema = 1\n" + "".join(f'[[layer]]\nname = "l{i}"\nkappa = -{i + 1}\n' for i in range(50))
    said = errors(text)
    assert [line.split()[1] for line in said[:21]] == [f"layer[{i}].kappa" for i in range(21)]
    assert said[21:] == ["and 29 more"]


@given(any_recipe(), st.data())
@settings(deadline=None)
def test_an_error_names_the_key_that_was_spoiled(recipe: Recipe, data: st.DataObject) -> None:
    lines = recipes.dump(recipe).split("\n")
    values = [i for i, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    spoiled = data.draw(st.sampled_from(values))
    key = lines[spoiled].split(" = ")[0]
    lines[spoiled] = f"{key} = [true]  # {HOSTILE!r}"
    layers = lines[:spoiled].count("[[layer]]")
    (said,) = errors("\n".join(lines))
    path = f"layer[{layers - 1}].{key}" if layers else key
    assert said.startswith(f"recipe.toml: {path} must be ")


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5000, "0x" + "f" * 5000, '"\x1b[31m"', "1979-99-99"])
def test_values_beyond_any_use(value: str) -> None:
    first, *_ = errors(f"schema = 1\nrewind = {value}\n")
    assert re.match(r"recipe\.toml(:2)?: ", first)
    assert first.isprintable()


@pytest.mark.parametrize("part", ["a.", "a . ", '"b\'c".', "'b\"c'\t."])
@pytest.mark.parametrize("bracket", ["{} = 1", "[{}]", "x = {{ {} = 1 }}"])
def test_a_key_of_too_many_parts_takes_no_time(part: str, bracket: str) -> None:
    """Python's reader takes hours for one of two million parts."""
    begun = time.monotonic()
    key = part * (schema.LARGEST // len(part) // 2) + "a"
    assert errors(f"schema = 1\n{bracket.format(key)}\n")[0] == f"recipe.toml:2: a key of more than {DEEPEST} parts"
    assert time.monotonic() - begun < 5


def test_text_that_looks_a_little_like_such_a_key_takes_no_time_either() -> None:
    size = 10**6
    begun = time.monotonic()
    for text in ("a" * size, "a " * size, '"' * size, "'\"" * size, ("a." * 99 + "\n") * 1000, "-" * size):
        with pytest.raises(RecipeError):
            recipes.parse(f"schema = 1\nstore = 3 # {text}\n{text[:1000]}", "x")
    assert time.monotonic() - begun < 20


def test_a_name_of_many_parts_is_no_such_key() -> None:
    name = "model.layers.0.self_attn." * 8 + "q_proj"
    text = f"schema = 1\nlayer = [{{ name = '{name}', kappa = 1 }}]"
    assert recipes.parse(text, "x").layers == (LayerRecipe(name, "", 0.0, 1.0),)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(recipes.dump(RECIPE).encode())
    assert recipes.load(path) == held(RECIPE)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # as Windows' editor saves UTF-8
    assert recipes.load(path) == held(RECIPE)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"schema = 1\nstore = '\xff'\n", r"recipe\.toml:2: not UTF-8"),
        (b"schema = 1\n" + b"#" * schema.LARGEST, "too large"),
        (None, "No such file"),
    ],
)
def test_files_that_are_no_text_of_a_sensible_size(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "recipe.toml").write_bytes(content)
    with pytest.raises(RecipeError, match=said):
        recipes.load(tmp_path / "recipe.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs are POSIX")
def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "recipe.toml")
    with pytest.raises(RecipeError, match=r"recipe\.toml: is a FIFO, not a regular file"):
        recipes.load(tmp_path / "recipe.toml")


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is a folder, not a regular file"):
        recipes.load(tmp_path)
