"""A recipe's file says what the recipe says, nothing that a name made it say, and takes the place of no other file."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from rfav_cli import recipes
from rfav_cli.errors import RecipeError
from rfav_cli.records import LayerRecipe, Recipe
from tests.recipes.examples import HOSTILE, RECIPE, held, texts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path


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
        "squared": True,
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
    assert [file.name for file in tmp_path.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize("content", [b"", b"[tool.rfav]\nmaps = 3\n", b"\x89HDF\r\n\x1a\n", b"schema = 2\n"])
def test_nothing_else_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match="stays as it is"):
        recipes.write(RECIPE, path)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize("kind", ["folder", "dangling link"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "recipe.toml"
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nothing")
    with pytest.raises(RecipeError, match="stays as it is"):
        recipes.write(RECIPE, path)
    assert [file.name for file in tmp_path.iterdir()] == ["recipe.toml"]


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
    assert [file.name for file in tmp_path.iterdir()] == ["recipe.toml"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be written"):
        recipes.write(RECIPE, tmp_path / "there" / "recipe.toml")


def test_doubts_are_comments_whatever_they_hold() -> None:
    text = recipes.dump(replace(RECIPE, doubts=("epoch 3: it looks wrong. Look.", HOSTILE)))
    assert "# In doubt: epoch 3: it looks wrong. Look.\n" in text
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        line for line in recipes.dump(RECIPE).splitlines() if not line.startswith("#")
    ]
