import os

# The suite runs in parallel: threads inside a worker would only wait for each other. Subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
