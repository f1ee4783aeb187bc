"""A tab of TensorBoard with the interactive views; TensorBoard finds it by the entry point in `pyproject.toml`."""
