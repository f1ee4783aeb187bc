"""Pickles: calls in each way that a pickle can make them, and names that scanners were seen to miss."""

from __future__ import annotations

import base64
import marshal
import pickle
from functools import partial
from typing import TYPE_CHECKING

from tests.checkpoints.handmade import call, claim, mapping, name, several, text, whole
from tests.corpus.case import CANARY, TOUCH, Case
from tests.corpus.opcodes import (
    EMPTY,
    FALSE,
    NONE,
    ORDERED,
    archive,
    bare,
    beside,
    legacy,
    legacy_beside,
    legacy_weights,
    stacked,
    weights,
)

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = text(f"touch {CANARY}")
CODE = text(TOUCH)
RUN = text(f"__import__('os').system('touch {CANARY}')")
INNER = b"cposix\nsystem\n(X" + bytes([len(f"touch {CANARY}"), 0, 0, 0]) + f"touch {CANARY}".encode() + b"tR."
MAY_BE_READ = (0, 2)
"""A file that names what is never called may be measured: nothing of it ran."""

ATTACKS = {
    "os-system": call("os.system", COMMAND),
    "posix-system": call("posix.system", COMMAND),
    "nt-system": call("nt.system", COMMAND),
    "os-popen": call("os.popen", COMMAND),
    "os-execvp": call("os.execvp", text("touch"), several(text("touch"), text(CANARY))),
    "os-posix-spawn": call("os.posix_spawn", text("/usr/bin/touch"), several(text("touch"), text(CANARY)), mapping({})),
    "os-mkdir": call("os.mkdir", text(CANARY)),
    "subprocess-popen": call("subprocess.Popen", several(text("touch"), text(CANARY))),
    "subprocess-getoutput": call("subprocess.getoutput", COMMAND),
    "pty-spawn": call("pty.spawn", several(text("touch"), text(CANARY))),
    "builtins-eval": call("builtins.eval", RUN),
    "builtins-exec": call("builtins.exec", CODE),
    "builtins-open": call("builtins.open", text(CANARY), text("w")),
    "builtins-import": call("builtins.__import__", text("corpus_canary")),
    "builtins-of-python-2": call("__builtin__.eval", RUN),
    "importlib": call("importlib.import_module", text("corpus_canary")),
    "runpy": call("runpy.run_module", text("corpus_canary")),
    "ctypes": call("ctypes.CDLL", text("libc.so.6")),
    "socket": call("socket.create_connection", several(text("127.0.0.1"), whole(9))),
    "webbrowser": call("webbrowser.open", text("http://127.0.0.1:9/")),
    "shutil-copy": call("shutil.copy", text("probe.npz"), text(CANARY)),
    "sys-modules": call("sys:modules.get", text("os")),
}
"""Name of a call that only an attack has a use for -> the pickle that makes it."""
FOREIGN = {
    "module-of-its-own": call("corpus_canary.make"),
    "module-of-its-own-imported": name("corpus_canary.nothing"),
    "torch-load": call("torch.load", text("../elsewhere/secret_1.pt")),
    "torch-serialization-load": call("torch:serialization.load", text("../elsewhere/secret_1.pt")),
    "torch-hub-load": call("torch:hub.load", text("."), text("make"), mapping({"source": text("local")})),
    "torch-jit-load": call("torch:jit.load", text("good_1.pt")),
    "torch-load-from-bytes": call("torch.storage._load_from_bytes", b"B" + len(INNER).to_bytes(4, "little") + INNER),
    "torch-load-library": call("torch:ops.load_library", text("libc.so.6")),
    "torch-inductor": call("torch:_inductor.codecache.compile_file", text("x"), text("y"), text("z")),
    "torch-collect-env": call("torch:utils.collect_env.run", COMMAND),
    "torch-exec-wrapper": call("torch:jit.unsupported_tensor_ops.execWrapper", CODE, mapping({}), mapping({})),
    "torch-load-config": call("torch:utils._config_module.ConfigModule.load_config", INNER[:0] or text("x")),
    "torch-save": call("torch.save", whole(1), text(CANARY)),
    "numpy-load": call("numpy.load", text("../elsewhere/secret.npz")),
    "numpy-runstring": call("numpy:testing._private.utils.runstring", CODE, mapping({})),
    "numpy-memmap": call("numpy.memmap", text(CANARY), text("uint8"), text("w+"), whole(0), whole(9)),
    "numpy-savetxt": call("numpy.savetxt", text(CANARY), several(whole(1))),
    "pickle-loads": call("pickle.loads", b"B" + len(INNER).to_bytes(4, "little") + INNER),
    "c-pickle-loads": call("_pickle.loads", b"B" + len(INNER).to_bytes(4, "little") + INNER),
    "dill-loads": call("dill.loads", b"B" + len(INNER).to_bytes(4, "little") + INNER),
    "joblib-load": call("joblib.load", text("../elsewhere/secret_1.pt")),
    "pandas-read-pickle": call("pandas.read_pickle", text("../elsewhere/secret_1.pt")),
    "shelve-open": call("shelve.open", text(CANARY)),
    "marshal-loads": call("marshal.loads", b"C" + bytes([len(marshal.dumps(1))]) + marshal.dumps(1)),
    "base64-then-eval": call("base64.b64decode", text(base64.b64encode(TOUCH.encode()).decode())),
    "getattr": call("builtins.getattr", name("posixpath.os"), text("system")) + several(COMMAND) + b"R",
    "attrgetter": call("operator.attrgetter", text("system"))
    + several(name("posixpath.os"))
    + b"R"
    + several(COMMAND)
    + b"R",
    "methodcaller": call("operator.methodcaller", text("system"), COMMAND) + several(name("posixpath.os")) + b"R",
    "partial": call("functools.partial", name("timeit.timeit"), CODE) + EMPTY + b"R",
    "map": call("builtins.list", call("builtins.map", name("timeit.timeit"), several(CODE))),
    "reduce": call(
        "functools.reduce", name("builtins.getattr"), several(text("system"), COMMAND), name("posixpath.os")
    ),
    "type": call("builtins.type", text("X"), EMPTY, mapping({"__del__": name("corpus_canary.make")})),
    "timeit": call("timeit.timeit", CODE),
    "profile-run": call("cProfile.run", CODE),
    "pdb-run": call("pdb.run", CODE),
    "bdb-run": call("bdb:Bdb.run", CODE),
    "trace-run": call("trace:Trace.run", CODE),
    "doctest": call("doctest.debug_script", CODE),
    "code-interpreter": call("code:InteractiveInterpreter.runcode", CODE),
    "logging-handler": call("logging.FileHandler", text(CANARY)),
    "logging-config": call("logging.config.listen", whole(9030)),
    "pathlib-write": call("pathlib:Path.write_text", text(CANARY), text("x")),
    "pathlib-touch": call("pathlib:Path.touch", call("pathlib.PosixPath", text(CANARY))),
    "codecs-open": call("codecs.open", text(CANARY), text("w")),
    "io-open": call("io.open", text(CANARY), text("w")),
    "c-io-open": call("_io.open", text(CANARY), text("w")),
    "file-io": call("_io.FileIO", text(CANARY), text("w")),
    "zipfile": call("zipfile.ZipFile", text(CANARY), text("w")),
    "tarfile": call("tarfile.open", text(CANARY), text("w")),
    "tempfile": call("tempfile.mkdtemp", text(""), text("x"), text(".")),
    "sqlite": call("sqlite3.connect", text(CANARY)),
    "urllib": call("urllib.request.urlopen", text("http://127.0.0.1:9/")),
    "http": call("http.client.HTTPSConnection", text("127.0.0.1")),
    "smtplib": call("smtplib.SMTP", text("127.0.0.1")),
    "multiprocessing": call("multiprocessing:process.BaseProcess.start"),
    "asyncio": call("asyncio:create_subprocess_shell", COMMAND),
    "threading": call("_thread.start_new_thread", name("corpus_canary.make"), EMPTY),
    "signal": call("signal.raise_signal", whole(9)),
    "faulthandler": call("faulthandler._sigsegv"),
    "gc": call("gc.set_threshold", whole(1)),
    "atexit": call("atexit.register", name("corpus_canary.make")),
    "site": call("site.execsitecustomize"),
    "pip": call("pip:_internal.cli.main.main", several(text("download"), text("x"))),
    "ensurepip": call("ensurepip.bootstrap"),
    "venv": call("venv.create", text(CANARY)),
    "lib2to3": call("lib2to3.pgen2.grammar.Grammar.loads", text("x")),
    "idlelib": call("idlelib:run.Executive.runcode", CODE),
    "types-function": call("types.FunctionType", call("types.CodeType"), mapping({})),
    "weakref-finalize": call("weakref.finalize", name("collections.OrderedDict"), name("corpus_canary.make")),
    "rfav-itself": call("rfav_cli.cli.main"),
    "rfav-writes": call("rfav_cli.files.atomic.write_whole", mapping({CANARY: text("x")})),
    "whole-net": name("corpus_net.Net")
    + EMPTY
    + b"\x81"
    + mapping({"training": FALSE, "hook": call("corpus_canary.make")})
    + b"b",
}
"""Name of a call that other readers may make -> the pickle that makes it; here it is data."""
SYSTEM = name("os.system")
WAYS = {
    "inst": b"(" + COMMAND + b"ios\nsystem\n",
    "obj": b"(" + SYSTEM + COMMAND + b"o",
    "new-object": SYSTEM + several(COMMAND) + b"\x81",
    "new-object-ex": SYSTEM + several(COMMAND) + mapping({"x": COMMAND}) + b"\x92",
    "build": name("corpus_canary.Thing") + EMPTY + b"\x81" + mapping({"__setstate__": SYSTEM, "__class__": SYSTEM}) + b"b",
    "build-slots": name("argparse.Namespace") + EMPTY + b"\x81" + NONE + mapping({"__class__": SYSTEM}) + b"\x86b",
    "build-ordered-dict": ORDERED + mapping({"__class__": SYSTEM, "_metadata": SYSTEM}) + b"b",
    "build-tensor": weights()["fc2.bias"] + mapping({"__class__": SYSTEM, "data": COMMAND}) + b"b",
    "ext1": b"\x82\x01" + several(COMMAND) + b"R",
    "ext2": b"\x83\x01\x02" + several(COMMAND) + b"R",
    "ext4": b"\x84\x01\x02\x03\x04" + several(COMMAND) + b"R",
    "register-extension": call("copyreg.add_extension", text("os"), text("system"), whole(1)) + b"0\x82\x01",
    "persistent-text": b"Pos.system\n",
    "persistent-module": several(text("module"), SYSTEM, text("x.py"), CODE) + b"Q",
    "persistent-callable": several(text("storage"), SYSTEM, text("0"), text("cpu"), whole(3)) + b"Q",
    "persistent-long": several(*[text("storage")] * 40) + b"Q",
    "stack-global": stacked("os", "system") + several(COMMAND) + b"R",
    "stack-global-dotted": stacked("torch", "os.system") + several(COMMAND) + b"R",
    "stack-global-builtins": stacked("builtins", "eval") + several(RUN) + b"R",
    "stack-global-of-memo": text("os") + b"q\x05" + text("system") + b"q\x060" + b"0h\x05h\x06\x93" + several(COMMAND) + b"R",
    "stack-global-of-numbers": whole(1) + whole(2) + b"\x93" + several(COMMAND) + b"R",
    "stack-global-of-bytes": b"C\x02osC\x06system\x93" + several(COMMAND) + b"R",
    "stack-global-dunder": stacked("torch", "__builtins__.eval") + several(RUN) + b"R",
    "stack-global-class-walk": stacked("torch", "Tensor.__class__.__subclasses__") + EMPTY + b"R",
    "stack-global-with-newline": stacked("os\nsystem\n", "system") + several(COMMAND) + b"R",
    "global-dotted": b"ctorch\nstorage.os.system\n" + several(COMMAND) + b"R",
    "global-spaces": b"c os\n system\n" + several(COMMAND) + b"R",
    "global-empty": b"c\n\n" + several(COMMAND) + b"R",
    "global-escapes": b"cos\x1b[31m\n::error::\x07system\n" + several(COMMAND) + b"R",
    "global-not-utf-8": b"c\xff\xfe\n\xc3\x28\n" + several(COMMAND) + b"R",
    "global-surrogate": stacked("\udcff", "\ud800") + several(COMMAND) + b"R",
    "global-right-to-left": stacked("\u202etorch\u202c", "Ten\u2066sor") + several(COMMAND) + b"R",
    "rebuild-from-type": call("torch._tensor._rebuild_from_type_v2", SYSTEM, name("torch.Tensor"), several(COMMAND), mapping({})),
    "rebuild-with-hooks": call(
        "torch._utils._rebuild_tensor_v2", claim(whole(3), key=text("7")), whole(0), several(whole(3)), several(whole(1)),
        FALSE, ORDERED + mapping({"0": SYSTEM}) + b"b",
    ),
    "rebuild-parameter-state": call("torch._utils._rebuild_parameter_with_state", weights()["fc2.bias"], FALSE, ORDERED, mapping({"__class__": SYSTEM})),
    "wrapper-subclass": call("torch._utils._rebuild_wrapper_subclass", SYSTEM, several(text("float32")), several(whole(3))),
    "reconstructor": call("copyreg._reconstructor", name("corpus_canary.Thing"), name("builtins.object"), NONE),
    "default-dict": call("collections.defaultdict", SYSTEM),
    "enum": call("enum.Enum", text("x"), mapping({"__call__": SYSTEM})),
    "called-twice": call("functools.partial", SYSTEM, COMMAND) + EMPTY + b"R" + EMPTY + b"R",
    "in-a-key": several(call("os.system", COMMAND)) + b"0N",
    "popped": call("os.system", COMMAND) + b"0N",
}  # fmt: skip
"""Name of a way that a pickle reaches a callable -> a pickle that takes it."""
BROKEN = {
    "no-stop": b"N",
    "unknown-opcode": b"\xff\xfe",
    "mark-alone": b"(((",
    "pop-of-nothing": b"00000",
    "memo-of-nothing": b"h\x63",
    "set-item-on-number": whole(1) + text("a") + whole(2) + b"s",
    "append-on-text": text("a") + whole(2) + b"a",
    "build-on-number": whole(1) + mapping({"a": whole(1)}) + b"b",
    "call-of-number": whole(1) + several(whole(1)) + b"R",
    "call-with-a-list": name("collections.OrderedDict") + b"]R",
    "ordered-dict-of-a-number": call("collections.OrderedDict", whole(5)),
    "items-is-a-number": ORDERED + mapping({"items": whole(5), "keys": whole(5)}) + b"b",
    "list-as-key": b"}]Ns",
    "protocol-of-the-future": b"\x80\xffN",
    "number-of-text": b"I" + b"9" * 5000 + b"\n",
    "long-of-text": b"L" + b"9" * 200_000 + b"L\n",
    "float-of-text": b"Fnan(payload)\n",
    "string-unterminated": b"S'abc\n",
    "not-utf-8-key": b"}X\x02\x00\x00\x00\xff\xfeNs",
    "surrogate-key": mapping({"\ud800": NONE}),
}
"""Name of what a pickle has wrong -> its value."""


def _beside(name: str, value: bytes, ends: tuple[int, ...], how: Callable[..., None] = beside) -> Case:
    return Case(name, "pickle", partial(_write, how, value), ends=ends)


def _write(how: Callable[..., None], value: bytes, path: object) -> None:
    how(path, value)


def _alone(value: bytes, path: object) -> None:
    archive(path, value)  # type: ignore[arg-type]


def _text_protocol(path: object) -> None:
    path.write_bytes(pickle.dumps({"a": 1}, 0)[:-1] + b"0cos\nsystem\n(S'touch " + CANARY.encode() + b"'\ntR.")  # type: ignore[attr-defined]


CASES = [
    *(_beside(f"call-{name}", value, (2,)) for name, value in ATTACKS.items()),
    *(_beside(f"call-{name}", value, MAY_BE_READ) for name, value in FOREIGN.items()),
    *(_beside(f"way-{name}", value, MAY_BE_READ) for name, value in WAYS.items()),
    *(
        _beside(f"protocol-4-{name}", WAYS[name], MAY_BE_READ, partial(beside, protocol=4))
        for name in ("stack-global", "new-object-ex")
    ),
    *(
        _beside(f"protocol-5-{name}", ATTACKS[name], (2,), partial(beside, protocol=5))
        for name in ("os-system", "builtins-eval")
    ),
    *(
        _beside(f"legacy-{name}", ATTACKS[name], (2,), legacy_beside)
        for name in ("os-system", "builtins-exec", "subprocess-popen")
    ),
    *(
        _beside(f"legacy-{name}", FOREIGN[name], MAY_BE_READ, legacy_beside)
        for name in ("torch-load", "pickle-loads", "module-of-its-own", "partial")
    ),
    *(
        _beside(f"legacy-{name}", WAYS[name], MAY_BE_READ, legacy_beside)
        for name in ("inst", "obj", "persistent-module")
    ),
    *(
        Case(
            f"legacy-in-pickle-{place}",
            "legacy",
            lambda path, place=place: legacy(path, legacy_weights(), {place: ATTACKS["os-system"]}),
        )
        for place in range(5)
    ),
    *(
        Case(f"bare-{name}", "pickle", partial(_write, bare, ATTACKS[name]), file="epoch_1.pkl")
        for name in ("os-system", "builtins-eval")
    ),
    *(Case(f"alone-{name}", "pickle", partial(_alone, ATTACKS[name])) for name in ("os-system", "subprocess-popen")),
    *(
        Case(f"broken-{name}", "pickle", partial(_write, beside, value), ends=MAY_BE_READ)
        for name, value in BROKEN.items()
    ),
    Case("bare-text-protocol", "pickle", _text_protocol, file="epoch_1.pkl"),
]
