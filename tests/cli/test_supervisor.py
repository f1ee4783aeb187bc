"""The parent, with children that say and do what a test wants."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rfav_cli import isolation
from rfav_cli.cli import supervisor
from rfav_cli.errors import CheckpointError, RfavError

CHILD = """
import json, os, signal, sys, time
sys.path[:] = [folder for folder in sys.path if folder]
orders = json.loads(os.environ["RFAV_CHILD"])
def tell(**message):
    os.write(orders["status"], json.dumps(message).encode() + b"\\n")
def end_by(name):
    os.kill(os.getpid(), getattr(signal, name))
def write(text):
    os.write(orders["output"], text.encode())
"""


def supervise(monkeypatch: pytest.MonkeyPatch, code: str, *arguments: str) -> int:
    monkeypatch.setattr(supervisor, "_CHILD", f"{CHILD}{code}\n")
    return supervisor.supervise(list(arguments))


@pytest.mark.parametrize("code", [0, 1, 2, 3, 130])
def test_the_exit_code_is_passed_on(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    assert supervise(monkeypatch, "sys.exit(int(sys.argv[2]))", "analyze", str(code)) == code


def test_the_streams_are(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    supervise(monkeypatch, "print(sys.argv[1:]); print('said', file=sys.stderr)", "analyze", "a b.ts")
    assert capfd.readouterr() == ("['analyze', 'a b.ts']\n", "said\n")


def test_the_child_imports_from_where_its_parent_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "json.py").write_text("print('a stranger runs')")
    monkeypatch.chdir(tmp_path)
    own = [folder for folder in sys.path if folder]
    monkeypatch.setattr(sys, "path", own)
    code = supervisor._CHILD.replace("from rfav_cli.cli import main\nmain()", "print(sys.path)")
    monkeypatch.setattr(supervisor, "_CHILD", code)
    assert supervisor.supervise([]) == 0
    assert capfd.readouterr() == (f"{own}\n", "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SIGSEGV", "the process that ran it was ended by SIGSEGV while it was loaded"),
        ("SIGBUS", "the process that ran it was ended by SIGBUS while it was loaded"),
        ("SIGABRT", "the process that ran it was ended by SIGABRT while it was loaded"),
        ("SIGKILL", "the process that ran it was ended by SIGKILL while it was loaded"),
        ("SIGXCPU", "it did not end within 6 s of CPU time while it was loaded"),
    ],
)
def test_a_crash_is_said_of_the_file(monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    code = f"tell(at=['run/a.ts', 'it was loaded', 6]); end_by('{name}')"
    with pytest.raises(CheckpointError) as told:
        supervise(monkeypatch, code, "analyze")
    assert told.value.what == f"run/a.ts: malformed or too large: {words}"
    assert told.value.remedy == (
        "If you trust it, give it more by --time-limit, such as --time-limit 30."
        if name == "SIGXCPU"
        else "Save its state_dict and give that, with --model."
    )


def test_an_exit_that_is_none_of_ours_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckpointError, match=r"a\.ts: .* ended by code 0 while it was loaded"):
        supervise(monkeypatch, "tell(at=['a.ts', 'it was loaded', 6]); os._exit(0)", "analyze")


def test_a_crash_beside_any_program_is_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "tell(at=['a.ts', 'it was loaded', 6]); tell(at=None); end_by('SIGSEGV')"
    with pytest.raises(RfavError, match=r"^the process that measured was ended by SIGSEGV\n"):
        supervise(monkeypatch, code, "analyze")


GOES_ON = """
tell(goes_on=True)
for name in ("a.ts", "b.ts", "c.ts"):
    if name in orders["bad"]:
        print(name, *orders["bad"][name], flush=True)
    elif name != "b.ts":
        tell(at=[name, "it was loaded", 6])
        end_by("SIGSEGV")
"""


def test_a_command_that_goes_on_without_bad_files_is_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.ts").write_bytes(b"program")
    assert supervise(monkeypatch, GOES_ON) == 0
    *_, first, second = capfd.readouterr().out.splitlines()
    size, changed = isolation.stamp_of("a.ts") or (0, 0)
    assert first.startswith("a.ts a.ts: malformed or too large")
    assert first.endswith(f"[{size}, {changed}]")
    assert second.startswith("c.ts c.ts: malformed or too large")


def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "tell(goes_on=True); tell(at=['a.ts', 'it was loaded', 6]); end_by('SIGSEGV')"
    with pytest.raises(CheckpointError, match=r"a\.ts"):
        supervise(monkeypatch, code)


def test_what_a_program_wrote_is_shown_on_one_plain_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "tell(at=['a.ts', 'it was loaded', 6]); write('\\x1b[31mred\\n::error::' + 'x' * 100_000); tell(at=None)"
    supervise(monkeypatch, code)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(r"note: written while a.ts ran: \x1b[31mred ::error::xxx")
    assert len(line) < 200
    supervise(monkeypatch, code, "--quiet")
    assert capfd.readouterr() == ("", "")


def test_nonsense_from_a_child_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "for text in (b'', b'{', b'[]', b'{\"at\": 3}', b'\\xff', b'1' * 200_000, b'{\"at\": [1]}'):"
        " os.write(orders['status'], text + b'\\n')\nsys.exit(4)"
    )
    assert supervise(monkeypatch, code) == 4


def test_a_process_that_outlives_the_child_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import subprocess; subprocess.Popen(['sleep', '30'], close_fds=False, pass_fds=[orders['status']])"
    before = time.monotonic()
    assert supervise(monkeypatch, code) == 0
    assert time.monotonic() - before < 20


def test_the_child_has_the_streams_and_two_pipes_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "own").open("w") as own:
        os.set_inheritable(own.fileno(), True)
        code = "own = {0, 1, 2, orders['status'], orders['output']}\n"
        code += "listing = os.open('/proc/self/fd', os.O_RDONLY)\n"
        code += "print({int(name) for name in os.listdir(listing)} - own - {listing, listing + 1})"
        supervise(monkeypatch, code)
    assert capfd.readouterr().out == "set()\n"


PARENT = """
import signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # the tests may run where some are ignored, as in the background of a shell
from rfav_cli.cli import supervisor
supervisor._PATIENCE = 0.2
supervisor._CHILD = sys.argv[1]
sys.exit(supervisor.supervise([]))
"""


def parent_of(code: str) -> tuple[subprocess.Popen[str], int]:
    """A parent process whose child has said its number and that it is ready."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, f"{CHILD}{code}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


COUNTS = """
got = []
def take(number, _):
    got.append(number)
    print(signal.Signals(number).name, flush=True)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, take)
print(os.getpid(), flush=True)
while len(got) < {most}:
    time.sleep(0.01)
sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_handed_on_and_the_good_end_waited_for(number: signal.Signals) -> None:
    parent, _ = parent_of(COUNTS.format(most=1))
    parent.send_signal(number)
    out, err = parent.communicate(timeout=60)
    assert (out.split(), err, parent.returncode) == ([number.name], "", 130)


def test_a_child_that_does_not_end_when_asked_twice_is_ended() -> None:
    parent, child = parent_of(COUNTS.format(most=99))
    parent.send_signal(signal.SIGINT)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "SIGINT\n"
    parent.send_signal(signal.SIGINT)
    parent.communicate(timeout=60)
    assert parent.returncode == 130
    assert not is_there(child)


def test_the_parent_ends_by_the_signal_that_its_child_ends_by() -> None:
    parent, child = parent_of("print(os.getpid(), flush=True); time.sleep(60)")
    parent.send_signal(signal.SIGTERM)
    parent.communicate(timeout=60)
    assert parent.returncode == -signal.SIGTERM
    assert not is_there(child)


JOINS = "from rfav_cli import isolation\nisolation.start()\nprint(os.getpid(), flush=True)\ntime.sleep(60)"


def test_no_child_outlives_a_parent_that_is_killed() -> None:
    parent, child = parent_of(JOINS)
    parent.kill()
    parent.communicate(timeout=60)
    end = time.monotonic() + 20
    while is_there(child):
        assert time.monotonic() < end
        time.sleep(0.01)


def is_there(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be asked for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
