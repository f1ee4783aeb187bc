"""A recipe's file says what the recipe says, and nothing that a name made it say."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfav_cli import recipes
from rfav_cli.errors import RecipeError
from rfav_cli.recipes import schema
from rfav_cli.records import RULES, LayerRecipe, Recipe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = Recipe(
    rule="paper",
    store="rfav.h5",
    digest="0123456789abcdef" * 4,
    rewind=11,
    checkpoint="run/epoch_011.pt",
    loss=3.151,
    layers=(
        LayerRecipe("conv1", "correlated", 0.0, 1.0, None, 0.834, "filters correlated: 0.40 throughout"),
        LayerRecipe("conv4", "collapsed", 0.001, 0.0, -0.153, None, "entropy collapsed since epoch 12"),
    ),
    reason="likely overfitting since epoch 12",
)
HOSTILE = 'a"]\n[[layer]]\nlambda = 9 # \\u0041\r\x1b[31m\u202e\x00\x7f\u2028\'\'\'"""\t\\'

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
weights = st.floats(0, allow_infinity=False, allow_nan=False)
sizes = st.none() | st.floats()


@st.composite
def any_recipe(draw: st.DrawFn) -> Recipe:
    names = draw(st.lists(texts, max_size=4, unique=True))
    return Recipe(
        rule=draw(st.sampled_from(["", *RULES])),
        store=draw(texts),
        digest=draw(st.sampled_from(["", "ab" * 32])),
        rewind=draw(st.none() | st.integers(-1, 10**6)),
        checkpoint=draw(st.none() | texts.filter(bool)),
        loss=draw(sizes),
        layers=tuple(
            LayerRecipe(name, draw(texts), draw(weights), draw(weights), draw(sizes), draw(sizes), draw(texts))
            for name in names
        ),
        reason=draw(texts),
        with_bias=draw(st.booleans()),
        fold_norm=draw(st.booleans()),
        centering=draw(st.sampled_from(schema.CENTERINGS)),
    )


def held(recipe: Recipe) -> Recipe:
    """What a file holds of a recipe other than in comments."""
    layers = tuple(LayerRecipe(each.name, "", each.lambda_, each.kappa) for each in recipe.layers)
    return replace(recipe, loss=None, reason="", layers=layers)


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


@given(texts, texts)
@settings(deadline=None)
def test_no_text_ends_a_comment_or_a_string(name: str, why: str) -> None:
    layer = LayerRecipe(name + HOSTILE, why + HOSTILE, 0.5, 0.0, why=HOSTILE + why)
    recipe = Recipe("paper", HOSTILE, "", 3, HOSTILE + name, None, (layer,), why + HOSTILE)
    table = tomllib.loads(recipes.dump(recipe))
    assert table == {
        "schema": 1,
        "rule": "paper",
        "store": HOSTILE,
        "rewind": 3,
        "checkpoint": HOSTILE + name,
        "layer": [{"name": name + HOSTILE, "lambda": 0.5, "kappa": 0}],
    }


def test_the_file_says_why_and_how_large_the_penalties_are() -> None:
    text = recipes.dump(RECIPE)
    comments = " ".join(line[2:] for line in text.splitlines() if line.startswith("# "))
    for words in (RECIPE.reason, *(layer.why for layer in RECIPE.layers)):
        assert words in comments
    assert "sparsity penalty -0.153 beside a held-out loss of 3.151" in comments
    assert "decorrelation penalty +0.834 beside a held-out loss of 3.151" in comments
    assert max(map(len, text.splitlines())) <= 120


def test_an_empty_recipe_says_that_it_is() -> None:
    text = recipes.dump(replace(RECIPE, layers=(), rewind=None, checkpoint=None, reason="healthy"))
    assert "# healthy\n" in text
    assert "# no [[layer]]" in text
    assert recipes.parse(text, "x").layers == ()


def test_a_name_that_toml_cannot_hold_is_an_error() -> None:
    with pytest.raises(RecipeError, match="not Unicode"):
        recipes.dump(replace(RECIPE, checkpoint="run/\udce9.pt"))


def test_a_person_writes_it_in_other_ways_too() -> None:
    text = """
        schema=1   # the least that a recipe is

        [[ layer ]]
        'name' = 'conv4'
        "lambda" = 1e-3 # no kappa
        [[layer]] # [another]
        kappa = 1
        name = "\\u0066c1"
    """
    assert recipes.parse(text, "x").layers == (LayerRecipe("conv4", "", 0.001, 0.0), LayerRecipe("fc1", "", 0.0, 1.0))


LAYER = '[[layer]]\nname = "conv4"\nlambda = 0.001\n'


@pytest.mark.parametrize("value", ["-0.001", "nan", "inf", "-inf", "true", '"0.001"', "[0.001]", "1e999", "9" * 400])
@pytest.mark.parametrize("key", ["lambda", "kappa"])
def test_a_weight_is_a_finite_number_from_0_on(key: str, value: str) -> None:
    (said,) = errors(f'schema = 1\n\n[[layer]]\nname = "conv4"\n{key} = {value}\n')
    assert said.startswith(f"recipe.toml:5: {key} must be a finite number from 0 on, not ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["recipe.toml:1: schema is missing; it must be 1"]),
        ("# rfav recipe\n", ["recipe.toml:1: schema is missing; it must be 1"]),
        ("\nschema = 2\n", ["recipe.toml:2: schema must be 1, the only one that this version of rfav reads, not 2"]),
        ("schema = true", ["recipe.toml:1: schema must be 1, the only one that this version of rfav reads, not true"]),
        ("schema = 1\nrule = 'bold'", ["recipe.toml:2: rule must be one of even, paper, balanced, not 'bold'"]),
        ("schema = 1\nstore = ''", ["recipe.toml:2: store must be a path, not ''"]),
        (
            "schema = 1\nrewind = 1.5",
            ["recipe.toml:2: rewind must be an epoch, a whole number from -1 to 2147483647, not 1.5"],
        ),
        (
            "schema = 1\nrewind = -2",
            ["recipe.toml:2: rewind must be an epoch, a whole number from -1 to 2147483647, not -2"],
        ),
        (
            "schema = 1\nrewind = true",
            ["recipe.toml:2: rewind must be an epoch, a whole number from -1 to 2147483647, not true"],
        ),
        ("schema = 1\ncheckpoint = 3", ["recipe.toml:2: checkpoint must be a path, not 3"]),
        ("schema = 1\nfold_norm = 1", ["recipe.toml:2: fold_norm must be true or false, not 1"]),
        ("schema = 1\ncentering = 'mean'", ["recipe.toml:2: centering must be one of pearson, paper, not 'mean'"]),
        (
            f"schema = 1\n{LAYER}name = 3",
            ["recipe.toml:5: Cannot overwrite a value", "Mend it, or write a new recipe."],
        ),
        ("schema = 1\n[[layer]]\nname = 3\nkappa = 1", ["recipe.toml:3: name must be a text, not 3"]),
        ("schema = 1\n[[layer]]\nlambda = 1", ["recipe.toml:2: a layer without name"]),
        ("schema = 1\n[[layer]]\nname = 'a'", ["recipe.toml:2: a layer without lambda and kappa"]),
        (f"schema = 1\n{LAYER}\n{LAYER}", ["recipe.toml:7: the layer 'conv4' is in line 3 already"]),
        (
            f"schema = 1\n{LAYER}lamda = 1",
            ["recipe.toml:5: there is no key 'lamda'; here can be name, lambda, kappa"],
        ),
        (
            f"{LAYER}schema = 1",
            [
                "recipe.toml:1: schema is missing; it must be 1",
                "recipe.toml:4: schema belongs above the first [[layer]]; here can be name, lambda, kappa",
            ],
        ),
        (
            f"schema = 1\n{LAYER}\n[more]\nkappa = -1",
            ["recipe.toml:6: there is no table 'more'; a layer begins with [[layer]]"],
        ),
        ("schema = 1\n[layer]\nkappa = 1", ["recipe.toml:2: there is no table 'layer'; a layer begins with [[layer]]"]),
        (
            "schema = 1\nstore = '''\nkappa = 1\n'''\nrewind = 3",
            ["recipe.toml:2: a value goes on over several lines; each must stand on one"],
        ),
        ("schema = 1\nrewind =\n", ["recipe.toml:2: Invalid value", "Mend it, or write a new recipe."]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: list[str]) -> None:
    assert errors(text) == said


@pytest.mark.parametrize("text", ["layer = [{name = 'a', lambda = 1}]", "layer.name = 'a'", "layers = 1", "lambda = 1"])
def test_layers_are_tables_of_their_own(text: str) -> None:
    (said,) = errors(f"schema = 1\n{text}\n")
    assert said.startswith("recipe.toml:2: ")
    keys = "schema, rule, store, store_digest, rewind, checkpoint, with_bias, fold_norm, centering"
    assert said.endswith(f"here can be {keys}, then [[layer]]")


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5000, "0x" + "f" * 5000, '"\x1b[31m"', "1979-99-99"])
def test_values_beyond_any_use(value: str) -> None:
    first, *_ = errors(f"schema = 1\nrewind = {value}\n")
    assert first.startswith("recipe.toml:2: ")
    assert first.isprintable()


def test_all_errors_come_at_once_but_not_without_end() -> None:
    text = "schema = 1\n" + "".join(f'[[layer]]\nname = "l{i}"\nkappa = -{i + 1}\n' for i in range(50))
    said = errors(text)
    assert said[0].startswith("recipe.toml:4: ")
    assert said[20].startswith(f"recipe.toml:{4 + 3 * 20}: ")
    assert said[21:] == ["and 29 more"]


@given(any_recipe(), st.data())
@settings(deadline=None)
def test_an_error_names_the_line_that_was_spoiled(recipe: Recipe, data: st.DataObject) -> None:
    lines = recipes.dump(recipe).split("\n")
    values = [i for i, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    spoiled = data.draw(st.sampled_from(values))
    key = lines[spoiled].split(" = ")[0]
    lines[spoiled] = f"{key} = [true]  # {HOSTILE!r}"
    (said,) = errors("\n".join(lines))
    assert said.startswith(f"recipe.toml:{spoiled + 1}: {key} must be ")


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    recipes.write(RECIPE, path)
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


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is no file"):
        recipes.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        recipes.dump(replace(RECIPE, layers=())),
        recipes.dump(RECIPE).replace("lambda = ", "lambda = -"),  # ours, spoiled by hand
        "schema = 1\n[[layer]]\nname = 'a'\nkappa = 1\n",  # somebody's own
    ],
)
def test_another_recipe_is_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(content, encoding="utf-8")
    recipes.write(RECIPE, path)
    assert recipes.load(path) == held(RECIPE)
    assert [each.name for each in tmp_path.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize("content", [b"", b"[tool.rfav]\nmaps = 3\n", b"\x89HDF\r\n\x1a\n", b"schema = 2\n"])
def test_nothing_else_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match="stays as it is"):
        recipes.write(RECIPE, path)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize("kind", ["folder", "dangling link"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "recipe.toml"
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nothing")
    with pytest.raises(RecipeError, match="stays as it is"):
        recipes.write(RECIPE, path)
    assert [each.name for each in tmp_path.iterdir()] == ["recipe.toml"]


def test_what_is_there_stays_whole_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "recipe.toml"
    recipes.write(RECIPE, path)
    before = path.read_bytes()

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RecipeError, match="No space left on device"):
        recipes.write(replace(RECIPE, layers=()), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["recipe.toml"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be written"):
        recipes.write(RECIPE, tmp_path / "there" / "recipe.toml")
