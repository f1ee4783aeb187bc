"""The rule `adaptive` and the penalty on scores, on small runs, with controls."""
