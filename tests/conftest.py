import os

from hypothesis import settings

# The suite runs in parallel: threads inside a worker would only wait for each other. Subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The gate draws the same cases in every run, so that it says the same of the same commit; a search draws new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("search", derandomize=False, max_examples=1000)
settings.load_profile("same")
