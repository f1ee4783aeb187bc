"""What sees each operator that runs within it."""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode


class OperatorMode(TorchDispatchMode):
    """A mode of torch's that starts without torch's compiler; who derives from it has `__torch_dispatch__`."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Not: torch would import its whole compiler, for over a second, just to keep it away from this mode."""
        return False
