"""The product: what each command does, a file each, to be called from Python. The only place that knows two rooms.

Heavy imports are inside the functions, so that what needs no torch starts without it.
"""

from rfav_cli.records.notebooks import draw_with


def _html(record: object) -> str:
    from rfav_cli.commands.notebook import html

    return html(record)


draw_with(_html)
