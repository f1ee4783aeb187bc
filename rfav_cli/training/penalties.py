"""The paper's penalties in anyone's training loop: `loss = criterion(model(x), y) + regularizer()`."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from rfav_cli import recipes
from rfav_cli.equations import decorrelation_penalty
from rfav_cli.errors import RecipeError
from rfav_cli.training.control import Control
from rfav_cli.training.passes import Passes
from rfav_cli.training.places import Places
from rfav_cli.training.readers import HookReader, Reader
from rfav_cli.training.scripted import Attachment, Program
from rfav_cli.training.targets import find_targets, unwrapped
from rfav_cli.training.used_weights import UsedWeight

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from rfav_cli.records import Centering, Recipe
    from rfav_cli.training.target import Target


class TargetedRegularizer:
    """The penalties of a recipe (Eq. 5 and 7), to be added to the loss (Eq. 8).

        regularizer = TargetedRegularizer(model, "recipe.toml")
        loss = criterion(model(x), y) + regularizer()

    Hooks read the activations of the layers that have a lambda, while the net trains and gradients are computed;
    forwards in `eval()` or under `no_grad()`, and those that fail, add nothing. Call it after the forward and before
    its backward, once for each. A forward is forgotten when a backward has gone through it, when the weights change,
    and when another begins while nothing holds what it gave; compiled nets as a whole cannot tell that, so `clear()`
    them.

    It works with autocast, gradient accumulation, layers that are used several times, DistributedDataParallel,
    checkpointing (not reentrant), `torch.compile` (a batch-normalised net in several graphs: for fullgraph give
    `fold_norm=False`), and with TorchScript modules, whose layers are called as `rfav analyze` calls them. The first
    axis of what a layer gives must be the batch. Weights may be sharded by `fully_shard` (FSDP2); under the older FSDP
    kappa must be 0.

    Args:
        model: the net; what is wrapped around it, before or after, does not matter.
        recipe: a recipe, the path of its file, one of the paper's ("paper:sr3"), or name of a layer -> (lambda, kappa).
            A layer with two zeros is left as it is.
        with_bias: the bias is part of the activation; None, as for the next two, for what the recipe was measured with.
        fold_norm: an activation that goes into a batch normalisation is multiplied with its gamma / sigma before the
            entropy is taken, sigma being what the normalisation divides by in this forward (with SyncBatchNorm, what
            this rank alone would divide by). kappa is about the weights as they are.
        centering: see `equations.correlation_matrix`.
        squared: see `equations.decorrelation_penalty`; None for what the recipe says.

    Attributes:
        adaptive: the recipe is by the rule `adaptive`, so `follow` is to be called after each epoch.

    Raises:
        RecipeError: the recipe can't be read, names no layer or one that the net has not, or gives a layer of one
            channel a lambda, or one of one filter a kappa.
        ModelError: a TorchScript module is frozen.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe | str | Path | Mapping[str, tuple[float, float]],
        *,
        with_bias: bool | None = None,
        fold_norm: bool | None = None,
        centering: Centering | None = None,
        squared: bool | None = None,
    ) -> None:
        root = unwrapped(model)
        program = Program(root) if isinstance(root, torch.jit.ScriptModule) else None
        penalties = recipes.find(recipe)
        targets = find_targets(program or model, penalties)
        with_bias = penalties.with_bias if with_bias is None else with_bias
        fold_norm = penalties.fold_norm if fold_norm is None else fold_norm
        self._decorrelated = [target for target in targets if target.kappa]
        self._centering: Centering = centering or ("paper" if penalties.centering == "paper" else "pearson")
        self._squared = penalties.squared if squared is None else squared
        self.adaptive = penalties.rule == "adaptive"
        self._control = Control()
        self._values: dict[str, Tensor] = {}
        self._readers: list[Reader] = []
        self._handles: list[RemovableHandle | Attachment] = []
        self._passes = Passes(root, [])
        self._said: set[str] = set()
        self._places = None if program else Places(root, targets)
        self._weights = {target.name: UsedWeight(target) for target in self._decorrelated if program is None}
        measured = [target for target in targets if target.lambda_]
        if measured and program is not None:
            self._readers = [Reader(target) for target in measured]
            attachment = program.attach(self._readers, with_bias=with_bias, fold_norm=fold_norm)
            self._handles, self._passes = [attachment], attachment.passes
        elif targets and program is None:
            self._hook(measured, root, with_bias=with_bias, fold_norm=fold_norm)

    def _hook(self, targets: list[Target], root: nn.Module, *, with_bias: bool, fold_norm: bool) -> None:
        readers = [HookReader(target, with_bias=with_bias) for target in targets]
        norms = [module for module in root.modules() if fold_norm and isinstance(module, _BatchNorm)]
        self._readers = [*readers]
        self._passes = Passes(root, readers)
        self._handles = [
            *(self._passes.attach() if readers else ()),
            *(handle for reader in readers for handle in reader.attach(norms)),
            *(weights.attach() for weights in self._weights.values()),
        ]
        _forget_compiled()

    def __call__(self) -> Tensor:
        """The penalties of the forwards since the last call, added up, and those of the weights.

        A forward counts until a backward has gone through it, until the weights change, and until another one begins
        once nothing holds what it gave.

        Returns:
            A scalar, to be added to the loss; 0 while the net does not train, or without gradients.

        Raises:
            RecipeError: no forward reached any of the layers since the last call, or none of them is in the net.
        """
        penalties = {}
        if torch.is_grad_enabled():
            self._forget_replaced()
            self._say_what_sleeps()
            penalties = self._sparsity() | self._decorrelation()
            self._say_what_is_frozen(penalties)
        self._values = {name: penalty.detach() for name, penalty in penalties.items()}
        total = torch.zeros(())
        for penalty in penalties.values():
            total = total.to(penalty.device) + penalty
        return total

    @property
    def values(self) -> dict[str, float]:
        """What each penalty was in the last call, lambda and kappa included: "sparsity/conv4", ...; empty for none.

        The loss less their sum is the adjusted loss that the paper plots.
        """
        return {name: float(value) for name, value in self._values.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """What `values` has when every layer was reached."""
        sparsity = [f"sparsity/{reader.target.name}" for reader in self._readers]
        return (*sparsity, *(f"decorrelation/{target.name}" for target in self._decorrelated))

    @property
    def factor(self) -> float:
        """What every lambda of the recipe is multiplied with; 1 until `follow` is called."""
        return self._control.factor

    def follow(self, confidence: float, accuracy: float) -> float:
        """Have every lambda follow how much surer the net is than it is right, once after each epoch.

            regularizer.follow(confidence, accuracy)

        All are multiplied with exp(6 (confidence - accuracy)); see `control.followed`.

        Args:
            confidence: the mean, over validation samples, of the largest probability that the net gives to a class.
            accuracy: the share of them whose class it is. A figure that is not a share leaves lambda as it is; a
                warning says so once.

        Returns:
            The factor from now on.
        """
        return self._control.follow(confidence, accuracy)

    def state_dict(self) -> dict[str, Any]:
        """What a training needs beside net and optimizer to go on: {"factor": ...}."""
        return {"factor": self.factor}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict`.

        Raises:
            UsageError: it holds no factor that there can be.
        """
        self._control = Control.at(state.get("factor"))

    def clear(self) -> None:
        """Forget the forwards since the last call."""
        self._passes.clear()
        for reader in self._readers:
            reader.clear()

    def close(self) -> None:
        """Take the hooks off the net."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        for reader in self._readers:
            reader.closed = True
        self.clear()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read on where a pickle was made with its net."""
        self.__dict__.update(state)
        for reader in self._readers:
            reader.closed = not self._handles

    def __enter__(self) -> TargetedRegularizer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sparsity(self) -> dict[str, Tensor]:
        training = [reader for reader in self._readers if reader.target.module.training]
        waiting = self._passes.waiting() if training else 0
        sums = {f"sparsity/{r.target.name}": r.total * self.factor for r in training if r.total is not None}
        if training and not sums and not any(reader.ran and reader.seen for reader in training):
            names = ", ".join(reader.target.name for reader in training)
            raise RecipeError(
                f"no forward with gradients has reached {names} since the last call of the regularizer",
                "Call it after the forward and before its backward, once for each; a layer that the net does not use, "
                "or not as a module, has no place in a recipe. Checkpointing needs use_reentrant=False.",
            )
        if waiting > 1:
            self._say(f"the penalties of {waiting} forwards are added up; clear() forgets those that are not meant")
        for reader in training:
            if not reader.reached and reader.total is None:
                warnings.warn(f"no forward has reached {reader.target.name}: it has no penalty yet", stacklevel=3)
            reader.reached = reader.called = True
            reader.seen = reader.seen or reader.total is not None
            reader.clear()
        return sums

    def _decorrelation(self) -> dict[str, Tensor]:
        penalties = {}
        for target in self._decorrelated:
            if target.module.training:
                used = self._weights.get(target.name)
                weights = target.weights() if used is None else used.filters()
                with torch.autocast(weights.device.type, enabled=False):  # it would make half of the products' digits
                    pairs = decorrelation_penalty(weights, self._squared, self._centering)
                penalties[f"decorrelation/{target.name}"] = target.kappa * pairs
        return penalties

    def _forget_replaced(self) -> None:
        """Penalise no layer that is not in the net any more.

        Raises:
            RecipeError: none of them is.
        """
        if self._places is None or not (gone := self._places.gone()):
            return
        named = ", ".join(gone)
        self._readers = [reader for reader in self._readers if reader.target.name not in gone]
        self._decorrelated = [target for target in self._decorrelated if target.name not in gone]
        remedy = "make a regularizer anew once the net is as it shall be trained"
        if not self.names:
            raise RecipeError(f"not in the net any more: {named}, so nothing is penalised", remedy.capitalize() + ".")
        self._say(f"not in the net any more, and without a penalty: {named}; {remedy}")

    def _say_what_sleeps(self) -> None:
        """Say which layers have no penalty since they are in `eval()`."""
        asleep = {r.target.name: None for r in self._readers if not r.target.module.training and r.slept}
        asleep |= {target.name: None for target in self._decorrelated if not target.module.training}
        if asleep:
            self._say(
                f"no penalty in eval(): {', '.join(asleep)}; train() what shall have one, or call the regularizer "
                "under no_grad() where none is meant"
            )

    def _say_what_is_frozen(self, penalties: Mapping[str, Tensor]) -> None:
        """Say which penalties are constants."""
        if frozen := [name for name, penalty in penalties.items() if not penalty.requires_grad]:
            self._say(
                f"without a gradient: {', '.join(frozen)}; the layer and all that comes before it are frozen, so the "
                "penalty changes nothing"
            )

    def _say(self, what: str) -> None:
        """Warn once."""
        if what not in self._said:
            self._said.add(what)
            warnings.warn(what, stacklevel=4)


def _forget_compiled() -> None:
    """Have what torch.compile made before the hooks came made anew; torch would go on without them."""
    if "torch._dynamo" in sys.modules:
        torch.compiler.reset()
