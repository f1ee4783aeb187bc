from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from rfav_cli.checkpoints import operators

WITHOUT_SCHEMA = {
    *("CallFunction", "CallMethod", "Closure", "Constant", "CreateObject", "DictConstruct", "Enter", "Exit", "GetAttr"),
    *("HasAttr", "If", "InterfaceCall", "ListConstruct", "ListUnpack", "Loop", "SetAttr"),
    *("TupleConstruct", "TupleSlice", "annotate", "fork", "isinstance"),
}
"""Nodes of `prim` that torch's compiler knows by their kind."""


@pytest.mark.skipif(
    torch.__version__.partition("+")[0] not in operators.TESTED_WITH, reason="the list is of other versions of torch"
)
def test_each_name_in_the_list_is_an_operator_of_torch() -> None:
    known = {schema.name for schema in torch._C._jit_get_all_schemas()}
    listed = {f"{space}::{name}" for space in ("aten", "prim", "quantized") for name in operators.ALLOWED[space]}
    assert listed - known == {f"prim::{name}" for name in WITHOUT_SCHEMA}


UNSAFE = """
aten::_sparse_coo_tensor_unsafe aten::_sparse_csr_tensor_unsafe aten::_sparse_bsr_tensor_unsafe
aten::_sparse_compressed_tensor_unsafe aten::sparse_csr_tensor aten::_unsafe_index aten::_unsafe_index_put
aten::_unsafe_masked_index aten::set_ aten::resize_ aten::resize_as_ aten::as_strided_ aten::from_file aten::save
aten::_print aten::_embedding_bag aten::_cudnn_rnn aten::_nested_view_from_buffer aten::nested_to_padded_tensor
aten::_foreach_add_ aten::_index_put_impl_ aten::set_data aten::_make_per_channel_quantized_tensor prim::Print
prim::PythonOp prim::rpc_async prim::awaitable_wait c10d::barrier quantized::embedding_bag_byte mkldnn::_linear
torchvision::read_file torchvision::decode_jpeg torchvision::_roi_align_backward relu ops
"""


@pytest.mark.parametrize("operator", UNSAFE.split())
def test_what_trusts_its_arguments_or_reaches_beyond_tensors_is_not_in_it(operator: str) -> None:
    assert not operators.is_allowed(operator)


def test_most_of_core_aten_is_in_it() -> None:
    core = set()
    for full in torch._C._dispatch_get_all_op_names():
        space, _, name = full.partition("::")
        packet = getattr(torch.ops.aten, name.partition(".")[0], None) if space == "aten" else None
        overload = getattr(packet, name.partition(".")[2] or "default", None)
        if torch.Tag.core in getattr(overload, "tags", ()):
            core.add(f"aten::{name.partition('.')[0]}")
    assert len(core) > 100
    left_out = {name.partition("::")[2] for name in operators.not_allowed(core)}
    unchecked = {"_embedding_bag", "_native_batch_norm_legit", "_pdist_forward", "resize_"}
    assert {name for name in left_out if "backward" not in name} == unchecked | operators.EXPORTED_ALONE


def test_names_are_told_once_and_in_order() -> None:
    assert operators.not_allowed(["prim::Print", "aten::save.x", "aten::relu", "prim::Print"]) == [
        "aten::save.x",
        "prim::Print",
    ]


def test_the_list_is_there_without_torch() -> None:
    code = "import sys, rfav_cli.checkpoints.operators; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
