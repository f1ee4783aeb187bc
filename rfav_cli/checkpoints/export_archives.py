"""Archives of `torch.export.save` from untrusted hands: every string in them is checked before torch reads them.

`torch.export.load` evaluates expressions, looks names up, writes others into Python code that it executes, and
unpickles without limits where the limited way fails. What `torch.export.save` writes for a net needs none of that.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from functools import partial
from typing import TYPE_CHECKING, Any

from rfav_cli.checkpoints.archives import REMEDY, members, refuse
from rfav_cli.checkpoints.integrity import check_archive
from rfav_cli.checkpoints.operators import EXPORTED_ALONE, HIGHER_ORDER, is_allowed
from rfav_cli.checkpoints.pickles import load_part
from rfav_cli.checkpoints.stand_ins import Name, StandIn
from rfav_cli.checkpoints.zips import UNREADABLE, read_member
from rfav_cli.errors import CheckpointError
from rfav_cli.text import what_it_says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_NODES = 5_000
"""Nodes of a graph; densenet201 has 711, and torch takes about 10 ms for each as it loads them."""
_MEMBER = re.compile(
    r"models/model\.json|data/(weights|constants)/(model(_weights_config|_constants_config)?\.(json|pt)|(weight|tensor)_\d+)"
    r"|data/sample_inputs/model\.pt|archive_format|archive_version|version|byteorder|\.data/\w+|extra/.*"
)
_OPERATOR = re.compile(r"torch\.ops\.(\w+)\.(\w+)(\.(?!_)\w+)?", re.ASCII)
_ARITHMETIC = "getitem|add|sub|mul|floordiv|truediv|mod|neg|pos|abs|pow|eq|ne|lt|le|gt|ge|and_|or_|not_"
_TARGET = re.compile(
    rf"_operator\.({_ARITHMETIC})|torch\.sym_(int|float|max|min|not|ite|sum|sqrt)|math\.(ceil|floor|trunc|sqrt)",
    re.ASCII,
)
_NAME = re.compile(r"[\w.-]*", re.ASCII)
_TREE = re.compile(r'[\w.\- \[\]{}",:\\]*', re.ASCII)
_SIZE = r"L\['\w+'\](\[(\d+|'\w+')\])*\.size\(\)\[\d+\]"
_GUARD = re.compile(rf"{_SIZE} (==|!=|<=|>=|<|>) ({_SIZE}|\d+)", re.ASCII)
"""That two inputs have as many samples, say; never evaluated here (`formats.exported`)."""
_NOTES = {"stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "custom", "from_node"}
_FREE = {"as_string", "as_strings", *_NOTES}
"""Keys whose strings loading takes for text: arguments of operators, and notes on where a node comes from."""
_TREE_TYPES = {None, "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict"}
_SYMBOLIC = re.compile(
    "Symbol|Integer|Float|Rational|Mul|Add|Pow|Max|Min|Mod|PythonMod|FloorDiv|CleanDiv|CeilDiv|ModularIndexing|Where"
    "|CeilToInt|FloorToInt|TruncToInt|RoundToInt|ToFloat|PowByNatural|IntTrueDiv|FloatTrueDiv|Identity|Piecewise"
    "|Equality|Unequality|GreaterThan|LessThan|StrictGreaterThan|StrictLessThan|Not|And|Or"
)


def check_exported(path: Path, content: bytes, *, trust: bool = False) -> None:
    """Look through an archive of `torch.export.save`, whose loading evaluates expressions and names in it.

    Names become Python code as the program is put together, `expr_str` is evaluated, targets are looked up in torch,
    and pickles are read with all that they hold where the safe way fails.

    Args:
        path: the file, for messages.
        content: of it.
        trust: let it have any operator.

    Raises:
        CheckpointError: it is damaged, or holds what `torch.export.save` would not write for a plain net.
    """
    for name, read in members(path, content).items():
        if not _MEMBER.fullmatch(name):
            refuse(path, name)
        _check_member(path, name, read, trust)


def read_old_export(path: Path, content: bytes, *, trust: bool = False) -> dict[str, bytes]:
    """The members of an archive as `torch.export.save` wrote it up to torch 2.7, looked through in the same way."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members_read = {
                name: read_member(archive, name) for name in archive.namelist() if name.startswith("serialized_")
            }
    except (OSError, *UNREADABLE) as error:
        raise CheckpointError(
            f"{path}: damaged: {what_it_says(error, part='last')}", "Save or copy it again."
        ) from error
    for name, part in members_read.items():
        _check_member(path, name, partial(bytes, part), trust)
    return members_read


def _check_member(path: Path, name: str, read: Callable[[], bytes], trust: bool) -> None:
    if name.endswith(".pt"):
        _check_tensors(path, name, read())
    elif name.endswith(".json"):
        try:
            document = json.loads(read())
            _check_json(path, document, "", trust)
            _check_graphs(path, document, trust)
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{path}: damaged: {name} is no JSON", "Save or copy it again.") from error


def _check_tensors(path: Path, name: str, content: bytes) -> None:
    """Look through what torch.save wrote within an archive: torch reads all names in it where the safe way fails."""
    if not content:  # of the older layout, where there are none
        return
    check_archive(path, io.BytesIO(content))
    try:
        made = load_part(path, content)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: refused, {name} holds more than tensors", REMEDY) from error
    pending = [made]
    while pending:
        value = pending.pop()
        if isinstance(value, Name | StandIn):
            raise CheckpointError(f"{path}: refused, {name} holds more than tensors", REMEDY)
        pending += (
            [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        )


def _check_json(path: Path, value: Any, key: str, trust: bool) -> None:
    """Check every string of a document by the key that it stands under."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_json(path, name, "", trust)
            if name == "use_pickle" and inner is not False:
                refuse(path, "a pickled weight")
            _check_json(path, inner, name, trust)
    elif isinstance(value, list):
        for inner in value:
            _check_json(path, inner, key, trust)
    elif isinstance(value, str) and not _is_plain(value, key, trust):
        refuse(path, value)


def _check_graphs(path: Path, document: Any, trust: bool) -> None:
    """Hold the number of nodes of all graphs in a document, and their names, against what nets have."""
    pending, count = [document], 0
    while pending:
        value = pending.pop()
        pending += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        nodes = value.get("nodes") if isinstance(value, dict) else None
        if not isinstance(nodes, list):
            continue
        count += len(nodes)
        names = [name for node in nodes if (name := _made_by(node)) is not None]
        if len(set(names)) < len(names):
            raise CheckpointError(f"{path}: damaged: two nodes of its graph have one name", "Export it again.")
    if count > MOST_NODES and not trust:
        raise CheckpointError(f"{path}: refused, its graph has {count:,} nodes", REMEDY)


def _made_by(node: Any) -> str | None:
    """The name of what a node gives; None where that is not a tensor alone."""
    outputs = node.get("outputs") if isinstance(node, dict) else None
    first = outputs[0] if isinstance(outputs, list) and outputs else None
    tensor = first.get("as_tensor") if isinstance(first, dict) else None
    name = tensor.get("name") if isinstance(tensor, dict) else None
    return name if isinstance(name, str) else None


def _is_target(text: str, trust: bool) -> bool:
    """Whether a text names an operator that a program may have, or arithmetic on sizes."""
    named = _OPERATOR.fullmatch(text)
    if named is None:
        return _TARGET.fullmatch(text) is not None
    space, name, overload = named.groups()
    if space == "higher_order":
        return name in HIGHER_ORDER and overload is None
    allowed = is_allowed(f"{space}::{name}") or (space == "aten" and name in EXPORTED_ALONE)
    return overload is not None and (trust or allowed)


def _is_plain(text: str, key: str, trust: bool) -> bool:
    if key == "expr_str":
        return _is_arithmetic(text)
    if key == "guards_code":
        return _GUARD.fullmatch(text) is not None
    if key in ("in_spec", "out_spec"):
        return _is_plain_tree(text)
    if key in ("target", "as_operator"):
        return _is_target(text, trust)
    if key == "torch_version":
        return re.fullmatch(r"[\w.+<=]*", text, re.ASCII) is not None
    return key in _FREE or _NAME.fullmatch(text) is not None


def _is_plain_tree(text: str) -> bool:
    """Whether a tree of inputs or outputs is made of tuples, lists and dicts with words for keys."""
    if not _TREE.fullmatch(text) or "__enum__" in text:
        return False
    try:
        pending = json.loads(text)[1:] if text else []
    except ValueError:
        return False
    while pending:
        node = pending.pop()
        if not isinstance(node, dict) or node.get("type") not in _TREE_TYPES:
            return False
        pending += node.get("children_spec", [])
    return True


def _is_arithmetic(text: str) -> bool:
    """Whether an expression is made of numbers, symbols and arithmetic alone, in the way that sympy writes them out."""
    try:
        return len(text) <= 2000 and _is_term(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _is_term(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bool | int | float)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and _is_term(node.operand)
    if isinstance(node, ast.Name):
        return node.id in ("true", "false", "oo")
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not _SYMBOLIC.fullmatch(node.func.id):
        return False
    if not all(isinstance(keyword.value, ast.Constant) for keyword in node.keywords):
        return False
    if node.func.id in ("Symbol", "Float"):
        first = node.args[0] if len(node.args) == 1 else None
        return (
            isinstance(first, ast.Constant)
            and re.fullmatch(r"[A-Za-z]\w*|-?[\d.e+-]+", str(first.value), re.ASCII) is not None
        )
    return all(_is_term(argument) for argument in node.args)
