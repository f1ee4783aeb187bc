"""The layouts of arrays of samples; it loads nothing, since the help names them."""

LAYOUTS = {"nhwc": 4, "nchw": 4, "nhw": 3, "nct": 3, "nf": 2, "ncthw": 5, "nthwc": 5, "ntchw": 5}
"""Axes of an array -> how many: N samples, H x W pixels, C channels, T steps, F features."""
