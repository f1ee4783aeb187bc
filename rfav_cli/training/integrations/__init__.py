"""Callbacks that record a training with a `Monitor`; a new framework is one new file and one line here.

They are imported by their own names, since each needs a package that is there only when its extra was installed.
"""

INTEGRATIONS = ("lightning", "transformers", "keras")
"""Stems of the files in this folder, and names of the extras; each has `MonitorCallback(monitor, on_verdict)`."""
