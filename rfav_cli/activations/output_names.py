"""What the name of a net's output says of it: scores, something beside them, or nothing."""

from __future__ import annotations

import re

SCORES = frozenset(
    [
        *("logits", "logit", "scores", "score", "out", "output", "outputs", "class", "classes", "y"),
        *("pred", "preds", "prediction", "predictions", "prob", "probs", "probabilities"),
        *("class_logits", "cls_logits", "class_scores", "cls_scores", "class_probs"),
        *("y_hat", "yhat", "y_pred", "y_logits", "y_prob", "y_probs", "log_prob", "log_probs", "log_probabilities"),
    ]
)
"""Names of scores, as people write them; the words of two are joined by an underscore."""

SCORES_WORDS = frozenset(
    ["logits", "logit", "scores", "score", "pred", "preds", "prediction", "predictions", "probs", "prob"]
)
"""Words of which one in a longer name speaks for scores: `student_logits`."""

AUXILIARY_WORDS = frozenset(
    [
        *("feature", "features", "feat", "feats", "hidden", "hiddens", "penultimate", "pooled", "pooler"),
        *("embedding", "embeddings", "embed", "embeds", "emb", "embs", "representation", "representations"),
        *("attention", "attentions", "attn", "attns", "latent", "latents", "mu", "logvar", "projection"),
        *("loss", "losses", "past", "cache", "state", "states", "cell", "recon", "reconstruction", "reconstructed"),
    ]
)
"""Words of which one says that an output is something else, as one does that begins with `aux`."""

AUXILIARY, NEUTRAL, LIKELY, CERTAIN = range(4)


def rank_of(path: str) -> int:
    """How much a path of keys and indices speaks for class scores.

    Returns:
        AUXILIARY: a key has a word of something else, whatever other words say. CERTAIN: a key is a name of scores.
        LIKELY: a key has a word of scores. NEUTRAL: an index, or a name that says nothing.
    """
    names = ["_".join(_words(key)) for key in path.split(".")]
    words = {word for name in names for word in name.split("_")}
    if words & AUXILIARY_WORDS or any(word.startswith("aux") for word in words):
        return AUXILIARY
    if any(name in SCORES for name in names):
        return CERTAIN
    return LIKELY if words & SCORES_WORDS else NEUTRAL


def _words(key: str) -> list[str]:
    """The words of a key in lower case: `classLogits`, `class-logits` and `class_logits` have the same."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key)
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]
