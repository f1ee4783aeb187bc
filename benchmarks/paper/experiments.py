"""Which trainings there are, in the order in which they are worth running: the most telling first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfav_cli.recipes.paper import LAMBDA
from rfav_cli.records import LayerRecipe, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATA = ("cifar-10", "cifar-100", "tiny-imagenet")


@dataclass(frozen=True)
class Row:
    """A kind of net in a table.

    Attributes:
        name: as the paper has it.
        net: as `rfav_cli.nets` has it, without its size.
        recipe: the penalties, by name; empty for none.
        description: as in Table 2.
    """

    name: str
    net: str
    recipe: str
    description: str


ROWS = (
    Row("vanillaNet", "vanillanet", "", "no regularisation"),
    Row("dropNet", "dropnet", "", "dropout"),
    Row("normNet", "normnet", "", "batch normalisation"),
    Row("sr1Net", "vanillanet", "paper:sr1", "SparsityReg on conv1 to fc1"),
    Row("sr2Net", "vanillanet", "paper:sr2", "SparsityReg on conv3 to fc1"),
    Row("sr3Net", "vanillanet", "paper:sr3", "sr2Net and DecorrReg on conv1"),
)
"""Of Table 2."""

OTHER_ROWS = tuple(
    Row(name, name.lower(), recipe, f"SparsityReg on {layers}" if recipe else "no regularisation")
    for name, layers in (("LeNet", "conv2, fc1 and fc2"), ("AlexNet", "conv3 to conv5, fc1 and fc2"))
    for recipe in ("", f"table-3:{name.lower()}")
)
"""Of Table 3."""

TARGETS: Mapping[str, tuple[str, ...]] = {
    "table-3:lenet": ("conv2", "fc1", "fc2"),
    "table-3:alexnet": ("conv3", "conv4", "conv5", "fc1", "fc2"),
}
"""The paper does not say which layers of these nets it regularises. sr2Net's are the last block of convolutions and the
hidden dense layer, which are those that collapse; these are the same of LeNet and AlexNet."""


@dataclass(frozen=True)
class Column:
    """A column of Table 2.

    Attributes:
        data, size, optimizer: of its trainings.
        published: the column of the paper that stands beside it.
        stage: columns of a lower stage are trained first, with all seeds.
    """

    data: str
    size: str
    optimizer: str
    published: tuple[str, str, str]
    stage: int = 0


@dataclass(frozen=True)
class Cell:
    """A training.

    Attributes:
        data: one of `DATA`.
        row: what is trained; it names the recipe.
        size: "s", "m" or "xxl"; empty for nets of one size.
        optimizer: "sgd" or "adam".
        seed: of weights, order and dropout.
        epochs: how many; the same training for longer is the same run continued.
    """

    data: str
    row: Row
    size: str
    optimizer: str
    seed: int
    epochs: int

    @property
    def name(self) -> str:
        """Of its folder."""
        with_penalties = "-regularised" if self.row.recipe.startswith("table-3:") else ""
        net = f"{self.row.name}{with_penalties}" + (f"-{self.size}" if self.size else "")
        return f"{self.data}_{net}_{self.optimizer}_seed{self.seed}"

    @property
    def model(self) -> str:
        """What makes the net."""
        return f"zoo:{self.row.net}" + (f"-{self.size}" if self.size else "")

    @property
    def recipe(self) -> str | Recipe | None:
        """As `rfav_cli.train` takes it."""
        if self.row.recipe not in TARGETS:
            return self.row.recipe or None
        layers = tuple(LayerRecipe(layer, "", LAMBDA, 0.0) for layer in TARGETS[self.row.recipe])
        return Recipe("paper", "", "", None, None, None, layers)


@dataclass(frozen=True)
class Scale:
    """How large the experiments are.

    Attributes:
        name: on the command line.
        columns: of Table 2.
        others: rows of Table 3.
        images: how many are trained on; None for all there are.
        epochs: of each training.
        long: of Figure 6.
        others_stage, long_stage: when Table 3 and Figure 6 have their turn; see `Column.stage`.
        momentum: of SGD.
        figures: data set and size that Figures 5, 6, 7, A.1 and A.2 show.
        sizes: that Figure 3 shows.
        seeds: of each cell.
        amp: sizes whose forwards are run in bfloat16.
    """

    name: str
    columns: tuple[Column, ...]
    others: tuple[Row, ...]
    images: int | None
    epochs: int
    long: int
    others_stage: int
    long_stage: int
    momentum: float
    figures: tuple[str, str]
    sizes: tuple[str, ...]
    seeds: tuple[int, ...] = (0, 1, 2)
    amp: tuple[str, ...] = ()


SCALES: Mapping[str, Scale] = {
    "full": Scale(
        name="full",
        columns=(
            Column("cifar-100", "s", "sgd", ("cifar-100", "s", "sgd"), stage=2),
            Column("cifar-100", "m", "sgd", ("cifar-100", "m", "sgd"), stage=2),
            Column("cifar-100", "xxl", "sgd", ("cifar-100", "xxl", "sgd")),
            Column("cifar-100", "xxl", "adam", ("cifar-100", "xxl", "adam"), stage=2),
            Column("cifar-10", "xxl", "sgd", ("cifar-10", "xxl", "sgd"), stage=2),
            Column("tiny-imagenet", "xxl", "sgd", ("tiny-imagenet", "xxl", "sgd"), stage=2),
        ),
        others=OTHER_ROWS,
        images=None,
        epochs=100,
        long=200,
        others_stage=3,
        long_stage=1,
        momentum=0.0,
        figures=("cifar-100", "xxl"),
        sizes=("s", "m", "xxl"),
    ),
    "cpu": Scale(
        name="cpu",
        columns=(
            Column("cifar-10", "s", "sgd", ("cifar-10", "xxl", "sgd")),
            Column("cifar-100", "s", "sgd", ("cifar-100", "s", "sgd")),
            Column("cifar-100", "s", "adam", ("cifar-100", "xxl", "adam")),
            Column("tiny-imagenet", "s", "sgd", ("tiny-imagenet", "xxl", "sgd")),
            Column("cifar-100", "m", "sgd", ("cifar-100", "m", "sgd"), stage=2),
        ),
        others=tuple(row for row in OTHER_ROWS if row.name == "LeNet"),
        images=5000,
        epochs=25,
        long=50,
        others_stage=0,
        long_stage=1,
        momentum=0.9,
        figures=("cifar-100", "s"),
        sizes=("s", "m"),
        amp=("m",),
    ),
}


def cells(scale: Scale) -> tuple[Cell, ...]:
    """All trainings of a scale, each once, in the order in which to run them."""
    return tuple(cell for _, cell in sorted(_staged(scale), key=lambda each: (each[0], each[1].seed)))


def of_column(scale: Scale, column: Column, row: Row) -> tuple[Cell, ...]:
    """A cell of Table 2: its trainings, one a seed."""
    return tuple(Cell(column.data, row, column.size, column.optimizer, seed, scale.epochs) for seed in scale.seeds)


def of_other(scale: Scale, data: str, row: Row) -> tuple[Cell, ...]:
    """A cell of Table 3: its trainings, one a seed."""
    return tuple(Cell(data, row, "", "sgd", seed, scale.epochs) for seed in scale.seeds)


def of_figure(scale: Scale, name: str, *, size: str = "", optimizer: str = "sgd", epochs: int = 0) -> Cell:
    """The training of a net that a figure shows: that of the first seed.

    Args:
        scale: of the experiments.
        name: of a row of Table 2.
        size: of the net; by default that of the scale's figures.
        optimizer: "sgd" or "adam".
        epochs: how many; by default those of the tables.
    """
    data, usual = scale.figures
    row = next(row for row in ROWS if row.name == name)
    return Cell(data, row, size or usual, optimizer, scale.seeds[0], epochs or scale.epochs)


def of_figure_6(scale: Scale) -> tuple[Cell, ...]:
    """The long trainings, one a net."""
    return tuple(of_figure(scale, row.name, epochs=scale.long) for row in ROWS)


def _staged(scale: Scale) -> Iterator[tuple[int, Cell]]:
    plain_first = sorted(ROWS, key=lambda row: row.net != "vanillanet")
    for column in scale.columns:
        for row in plain_first:
            yield from ((column.stage, cell) for cell in of_column(scale, column, row))
    for data in DATA:
        for row in scale.others:
            yield from ((scale.others_stage, cell) for cell in of_other(scale, data, row))
    for cell in of_figure_6(scale):
        yield scale.long_stage, cell
