"""The product: what each command does, a file each, to be called from Python. The only place that knows two rooms.

Heavy imports are inside the functions, so that what needs no torch starts without it.
"""
