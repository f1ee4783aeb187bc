"""What a notebook shows of a record."""

from __future__ import annotations


def html(record: object) -> str:
    """A record as HTML: verdict, states and onset, with the entropies where it has them."""
    from rfav_cli import diagnosis
    from rfav_cli.records import Comparison, Description, History, Recipe, Verdict
    from rfav_cli.render import notebook, render_comparison, render_recipe

    if isinstance(record, Description):
        return notebook.of_history(record.history, record.verdict)
    if isinstance(record, History):
        return notebook.of_history(record, diagnosis.judge(record))
    if isinstance(record, Verdict):
        return notebook.of_verdict(record)
    if isinstance(record, Comparison):
        return notebook.of_text(render_comparison(record))
    if isinstance(record, Recipe):
        return notebook.of_text(render_recipe(record))
    return notebook.of_text(repr(record))
