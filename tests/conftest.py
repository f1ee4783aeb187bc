import os

from hypothesis import HealthCheck, settings

# The suite runs in parallel: threads inside a worker would only wait for each other. Subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The gate draws the same cases in every run, so that it says the same of the same commit; a search draws new ones. How
# long a case takes on a machine that does other things besides is no property of the code.
TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", TIMELESS, derandomize=True)
settings.register_profile("search", TIMELESS, derandomize=False, max_examples=1000)
settings.load_profile("same")
