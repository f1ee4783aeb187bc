"""A running net: forward hooks and operator dispatch, which layers it has, which output holds the scores."""
