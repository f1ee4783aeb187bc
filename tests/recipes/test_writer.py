"""A recipe's file says what the recipe says, nothing that a name made it say."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings

from rfav_cli import recipes
from rfav_cli.errors import RecipeError
from rfav_cli.records import LayerRecipe, Recipe
from tests.recipes.examples import HOSTILE, RECIPE, texts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


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
    ("content", "ours"),
    [
        (recipes.dump(replace(RECIPE, layers=())), True),
        (recipes.dump(RECIPE).replace("\n", "\r\n"), True),  # as Windows' tools end lines
        (recipes.dump(RECIPE).replace("lambda = ", "lambda = 1"), False),  # edited by hand
        (recipes.dump(RECIPE) + "# tried on Monday\n", False),
        ("\ufeff" + recipes.dump(RECIPE), True),  # as Windows' editor saves UTF-8
        ("schema = 1\n[[layer]]\nname = 'a'\nkappa = 1\n", False),  # somebody's own
        ("[tool.rfav]\nmaps = 3\n", False),
        ("", False),
    ],
)
def test_a_recipe_that_was_written_is_told(content: str, ours: bool) -> None:
    assert recipes.is_ours(io.BytesIO(content.encode())) is ours


def test_doubts_are_comments_whatever_they_hold() -> None:
    text = recipes.dump(replace(RECIPE, doubts=("epoch 3: it looks wrong. Look.", HOSTILE)))
    assert "# In doubt: epoch 3: it looks wrong. Look.\n" in text
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        line for line in recipes.dump(RECIPE).splitlines() if not line.startswith("#")
    ]
