"""Recipes to write and read: one of a run that overfits, and any that there can be."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from rfav_cli.recipes import schema
from rfav_cli.records import PENALISED, RULES, LayerRecipe, Recipe

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
            LayerRecipe(
                name,
                draw(texts),
                draw(weights),
                draw(weights),
                draw(sizes),
                draw(sizes),
                draw(texts),
                draw(st.sampled_from(PENALISED)),
            )
            for name in names
        ),
        reason=draw(texts),
        with_bias=draw(st.booleans()),
        fold_norm=draw(st.booleans()),
        centering=draw(st.sampled_from(schema.CENTERINGS)),
        squared=draw(st.booleans()),
    )


def held(recipe: Recipe) -> Recipe:
    """What a file holds of a recipe other than in comments."""
    layers = tuple(replace(layer, finding="", sparsity=None, decorrelation=None, why="") for layer in recipe.layers)
    return replace(recipe, loss=None, reason="", layers=layers)
