"""The operators that a program from untrusted hands may have: what nets need, and nothing that trusts its arguments.

An operator of torch that takes indices, sizes or pointers without a look at them reads and writes memory where a file
says; others open files, start processes or print. So there is a list of those that may be used, not of those that may
not: core ATen, the operators that the modules of `torch.nn` and torchvision become when they are traced, scripted,
frozen or exported, and the control flow around them. It holds names without overloads.

Calls with arguments at random took `native_batch_norm`, `_pdist_forward`, `lcm`, `_reshape_alias` and others off it.
Some that nets cannot do without ended the process in these calls, too: those in `ON_TRUST`, and those that make or
cast tensors (`tensor`, `zeros_like`, `eye`, `cumsum_`, `quantize_per_tensor`) given a number as `dtype` that is of no
type, such as -100. Numbers that are computed as a program runs are not known before; the command line's child process
makes an error of such an end.

Nothing here imports torch. What is not in the list is refused, whether this version of torch has it or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TESTED_WITH = ("2.14.1",)
"""Versions of torch whose operators were called with arguments at random, and whose nets were loaded."""

_IN_PLACE = """
abs acos acosh add addbmm addcdiv addcmul addmm addmv alpha_dropout asin asinh atan atan2 atanh baddbmm bernoulli
bitwise_and bitwise_not bitwise_or bitwise_xor ceil celu clamp clamp_max clamp_min copy cos cosh cumprod cumsum div
dropout elu embedding_renorm eq erf erfc erfinv exp exp2 expm1 exponential feature_alpha_dropout feature_dropout fill
floor floor_divide fmod frac ge gelu gt hardsigmoid hardswish hardtanh index_add index_copy index_fill
index_put le leaky_relu lerp log log10 log1p log2 logical_and logical_not logical_or logical_xor logit lt masked_fill
masked_scatter mish mul nan_to_num ne neg normal pow random reciprocal relu relu6 remainder round rrelu rsqrt scatter
scatter_add scatter_reduce selu sigmoid sign silu sin sinh sqrt square squeeze sub t tan tanh threshold transpose tril
triu trunc uniform unsqueeze xlogy zero
"""
"""Operators that have a form that writes over its argument, with a `_` behind the name."""

_ONE_BY_ONE = """
absolute addr aminmax angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_left_shift
bitwise_right_shift clip complex conj conj_physical copysign cosine_similarity deg2rad digamma divide fix
float_power fmax fmin frexp gcd greater greater_equal heaviside hypot i0 imag isclose isfinite isinf isnan isneginf
isposinf isreal ldexp less less_equal lgamma logaddexp logaddexp2 maximum minimum multiply negative nextafter
not_equal polar positive rad2deg real rsub sgn signbit sinc special_expit special_expm1 special_log1p special_logit
special_ndtr special_softmax special_log_softmax subtract true_divide where __and__ __or__ __xor__ __lshift__
__rshift__ __iand__ __ior__ __ixor__
"""
_REDUCED = """
all allclose amax amin any argmax argmin argsort count_nonzero cummax cummin cumprod cumsum dist equal
frobenius_norm kthvalue linalg_matrix_norm linalg_norm linalg_vector_norm logcumsumexp logsumexp max mean median min
mode msort nanmean nanmedian nansum nonzero norm nuclear_norm prod quantile nanquantile renorm sort std std_mean sum
topk trace unique_consecutive unique_dim _unique2 var var_mean
"""
_PRODUCTS = """
addbmm addmm addmv baddbmm bilinear bmm cdist chain_matmul cov cross dot einsum ger inner inverse kron
linalg_cholesky linalg_cross linalg_det linalg_eigh linalg_inv linalg_matmul linalg_matrix_exp linalg_matrix_power
linalg_multi_dot linalg_qr linalg_slogdet linalg_solve linalg_solve_triangular linalg_svd linalg_vecdot linear
logdet matmul matrix_exp matrix_power mm mv outer pdist tensordot vdot _cdist_forward _euclidean_dist _trilinear
"""
_SHAPES = """
adjoint alias as_strided atleast_1d atleast_2d atleast_3d block_diag broadcast_shapes broadcast_tensors broadcast_to
cartesian_prod cat channel_shuffle chunk clone col2im column_stack combinations concat concatenate constant_pad_nd
contiguous detach diag diag_embed diagflat diagonal diff dsplit dstack expand expand_as flatten flip fliplr flipud
gather hsplit hstack im2col index index_select mH mT masked_select matrix_H meshgrid moveaxis movedim narrow
narrow_copy native_channel_shuffle numpy_T pad permute pixel_shuffle pixel_unshuffle ravel reflection_pad1d
reflection_pad2d reflection_pad3d repeat repeat_interleave replication_pad1d replication_pad2d replication_pad3d
reshape reshape_as roll rot90 row_stack select select_scatter slice slice_scatter diagonal_scatter split
split_with_sizes stack sum_to_size swapaxes swapdims take take_along_dim tensor_split tile unbind unflatten unfold
unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze view view_as view_as_complex view_as_real vsplit vstack
_pad_circular _pad_enum _reshape_copy _shape_as_tensor _unsafe_view
"""
_MADE = """
arange as_tensor bernoulli fill_diagonal_ bartlett_window blackman_window bucketize empty empty_like empty_permuted
empty_strided eye full full_like hamming_window hann_window histc isin kaiser_window linspace logspace multinomial
new_empty new_empty_strided new_full new_ones new_zeros normal one_hot ones ones_like poisson rand rand_like randint
randint_like randn randn_like randperm range scalar_tensor tensor tril_indices triu_indices vander zeros zeros_like
"""
_LAYERS = """
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
adaptive_max_pool3d affine_grid_generator avg_pool1d avg_pool2d avg_pool3d batch_norm conv1d conv2d conv3d conv_tbc
conv_transpose1d conv_transpose2d conv_transpose3d convolution embedding embedding_bag fractional_max_pool2d
fractional_max_pool3d glu grid_sampler grid_sampler_2d grid_sampler_3d group_norm gru gru_cell hardshrink
instance_norm layer_norm log_sigmoid log_softmax lstm lstm_cell max_pool1d max_pool1d_with_indices max_pool2d
max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool2d max_unpool3d native_dropout
native_group_norm native_layer_norm native_norm norm_except_dim pairwise_distance prelu rms_norm rnn_relu
rnn_relu_cell rnn_tanh rnn_tanh_cell rrelu_with_noise scaled_dot_product_attention softmax softplus softshrink
upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d upsample_nearest3d
upsample_trilinear3d _adaptive_avg_pool2d _adaptive_avg_pool3d _add_relu _addmm_activation _batch_norm_impl_index
_conv_depthwise2d _convolution _convolution_mode _fused_rms_norm _log_softmax _masked_softmax
_native_multi_head_attention _nested_tensor_from_mask _nested_tensor_from_mask_left_aligned _pack_padded_sequence
_pad_packed_sequence _prelu_kernel _safe_softmax _scaled_dot_product_attention_math
_scaled_dot_product_flash_attention_for_cpu _softmax _transformer_encoder_layer_fwd _upsample_bicubic2d_aa
_upsample_bilinear2d_aa _upsample_lanczos2d_aa _upsample_nearest_exact1d _upsample_nearest_exact2d
_upsample_nearest_exact3d _weight_norm _weight_norm_interface to_padded_tensor
"""
_LOSSES = """
binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy_loss hinge_embedding_loss
huber_loss kl_div l1_loss margin_ranking_loss mse_loss multi_margin_loss nll_loss nll_loss2d nll_loss_nd
poisson_nll_loss smooth_l1_loss soft_margin_loss triplet_margin_loss
"""
_SIGNALS = """
fft_fft fft_fft2 fft_fftfreq fft_fftn fft_fftshift fft_hfft fft_ifft fft_ifft2 fft_ifftn fft_ifftshift fft_ihfft
fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 fft_rfftfreq fft_rfftn istft stft _fft_c2c _fft_c2r _fft_r2c
"""
_QUANTISED = """
dequantize fake_quantize_per_channel_affine fake_quantize_per_tensor_affine int_repr q_per_channel_axis
q_per_channel_scales q_per_channel_zero_points q_scale q_zero_point qscheme quantize_per_channel quantize_per_tensor
quantize_per_tensor_dynamic quantized_gru quantized_lstm
"""
_ASKED = """
Bool Complex ComplexImplicit Float FloatImplicit Int IntImplicit ScalarImplicit __contains__ __derive_index
__getitem__ __is__ __isnot__ __not__ __range_length _assert_async _assert_scalar _assert_tensor_metadata _cast_Byte
_cast_Char _cast_Double _cast_Float _cast_Half _cast_Int _cast_Long _cast_Short _get_tracing_state _infer_size
_list_to_tensor _local_scalar_dense _no_grad_embedding_renorm_ _no_grad_fill_ _no_grad_normal_ _no_grad_uniform_
_no_grad_zero_ _set_item _size_if_not_equal _tensor_to_list _to_copy _unwrap_optional cpu cuda dense_dim device dim
element_size get_autocast_dtype get_device is_autocast_cpu_enabled is_autocast_enabled is_complex is_conj
is_contiguous is_floating_point is_grad_enabled is_inference is_leaf is_neg is_nonzero is_pinned is_same_size
is_scripting is_signed item lift lift_fresh lift_fresh_copy numel requires_grad_ resolve_conj resolve_neg
result_type set_grad_enabled size storage_offset stride sym_constrain_range sym_constrain_range_for_size
sym_is_contiguous sym_numel sym_size sym_storage_offset sym_stride to type_as wait warn
"""
"""What a tensor is, and how it becomes one of another kind. `warn` is taken out of what was loaded before it runs."""

_OF_PYTHON = """
append bin capitalize chr clear copy count degrees dict divmod endswith extend fabs factorial find floordiv format
get gamma hash hex index insert isalnum isalpha isdecimal isdigit isidentifier islower isnumeric isprintable isspace
isupper items join keys len list lower lstrip mathremainder modf numel oct ord percentFormat pop popitem radians
remove reverse rfind rindex rstrip set setdefault sorted split startswith str strip update upper values Delete ceil
floor sqrt exp log log10 log1p log2 sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh pow erf erfc
expm1 fmod copysign isnan isinf isfinite gcd ldexp frexp lgamma trunc round hypot
"""
"""Methods of Python's lists, dictionaries and text, and functions of its `math`."""

ATEN = frozenset(
    " ".join(
        (
            *(_IN_PLACE, _ONE_BY_ONE, _REDUCED, _PRODUCTS, _SHAPES, _MADE, _LAYERS, _LOSSES, _SIGNALS, _QUANTISED),
            *(_ASKED, _OF_PYTHON, *(f"{name}_" for name in _IN_PLACE.split())),
        )
    ).split()
)

_PRIM = """
CallFunction CallMethod Closure Constant CreateObject DictConstruct EnumName EnumValue
Enter Exit GetAttr HasAttr If InterfaceCall ListConstruct ListUnpack Loop ModuleContainerIndex NumToTensor
RaiseException SetAttr StringIndex TupleConstruct TupleIndex TupleSlice TupleUnpack Uninitialized
abs annotate data device dtype fork id index is_cpu is_cuda is_meta is_mkldnn is_mps is_nested is_quantized
is_sparse is_sparse_csr is_vulkan is_xla is_xpu isinstance itemsize layout max min name nbytes rangelist
requires_grad tolist type unchecked_cast unchecked_unwrap_optional
"""
PRIM = frozenset(_PRIM.split())
"""Control flow, containers and objects. None of them prints, calls Python or another process."""

_MATH = "add add_relu add_scalar add_scalar_relu mul mul_relu mul_scalar mul_scalar_relu matmul cat cat_relu"
_ACTIVATIONS = "celu clamp dropout elu hardswish leaky_relu prelu relu6 sigmoid softmax threshold"
_NORMS = """
batch_norm batch_norm1d batch_norm1d_relu batch_norm2d batch_norm2d_relu batch_norm3d batch_norm3d_relu batch_norm_relu
group_norm instance_norm layer_norm max_pool1d max_pool2d
"""
_LINEAR = """
linear linear_dynamic linear_dynamic_fp16 linear_leaky_relu linear_prepack linear_prepack_fp16 linear_relu
linear_relu_dynamic linear_relu_dynamic_fp16 linear_tanh linear_unpack linear_unpack_fp16
"""
_CELLS = """
make_quantized_cell_params make_quantized_cell_params_dynamic make_quantized_cell_params_fp16
quantized_gru_cell_dynamic quantized_lstm_cell_dynamic quantized_rnn_relu_cell_dynamic quantized_rnn_tanh_cell_dynamic
"""
_CONVOLUTIONS = (
    *(f"conv{n}d{end}" for n in (1, 2, 3) for end in ("", "_relu", "_dynamic", "_prepack", "_unpack")),
    *(f"conv_transpose{n}d{end}" for n in (1, 2, 3) for end in ("", "_dynamic", "_prepack", "_unpack")),
    *("conv2d_add", "conv2d_add_relu", "conv_prepack", "conv_unpack"),
)
QUANTISED = frozenset(" ".join((_MATH, _ACTIVATIONS, _NORMS, _LINEAR, _CELLS, *_CONVOLUTIONS)).split())
"""Of `quantized`: what `torch.ao.quantization` makes."""

VISION = frozenset({"nms", "roi_align", "ps_roi_align", "roi_pool", "ps_roi_pool", "deform_conv2d", "box_iou_rotated"})
"""Of `torchvision`."""

ALLOWED = {"aten": ATEN, "prim": PRIM, "quantized": QUANTISED, "torchvision": VISION}
"""Namespace -> names in it."""

HIGHER_ORDER = frozenset({"cond", "while_loop", "map_impl", "scan", "wrap_with_set_grad_enabled", "wrap_with_autocast"})
"""Operators of exported programs that take graphs."""

EXPORTED_ALONE = frozenset({"_native_batch_norm_legit_no_training"})
"""Of `aten`, in exported programs alone: up to torch 2.5 each batch norm became it. It takes the sizes of its weights
on trust, so `formats.exported` holds them against the channels before each call."""

ON_TRUST = frozenset(
    f"aten::{name}"
    for name in (
        *(
            "_native_multi_head_attention",
            "_scaled_dot_product_flash_attention_for_cpu",
            "_transformer_encoder_layer_fwd",
        ),
        *("_weight_norm", "_weight_norm_interface", "lstm", "scaled_dot_product_attention"),
    )
)
"""Those that take sizes on trust, or lead to one that does. `activations.trusting_operators` holds what they are given
against each other as a net runs; nobody can as an archive is loaded, so `__setstate__` methods may not have them."""

CLASSES = frozenset({"quantized", "rnn"})
"""Namespaces of `torch.classes`: packed weights of quantised layers."""

METHODS = frozenset({"unpack"}) | ATEN | PRIM
"""What may stand behind a dot and before a bracket: methods of tensors and containers, and of those classes."""


def is_allowed(operator: str) -> bool:
    """Whether a program may use an operator, `namespace::name`, with or without the name of an overload.

    >>> is_allowed("aten::conv2d"), is_allowed("aten::conv2d.padding"), is_allowed("aten::from_file")
    (True, True, False)
    """
    namespace, _, name = operator.partition("::")
    return name.partition(".")[0] in ALLOWED.get(namespace, frozenset())


def not_allowed(operators: Iterable[str]) -> list[str]:
    """Those of some operators that a program may not use, each once, in order of the alphabet.

    >>> not_allowed(["aten::relu", "prim::Print", "aten::save"])
    ['aten::save', 'prim::Print']
    """
    return sorted({operator for operator in operators if not is_allowed(operator)})
