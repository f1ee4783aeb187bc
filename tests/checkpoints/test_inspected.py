from pathlib import Path

from rfav_cli.checkpoints.inspected import LISTED, Look, Source, cut


def test_a_source_reads_within_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        source = Source.of(path, file)
        assert (source.size, source.head, source.archive) == (10, b"0123456789", None)
        assert source.bytes_at(8, 2**40) == b"89"
        assert source.bytes_at(20, 5) == b""


def test_what_is_taken_down_has_an_end() -> None:
    look = Look()
    for number in range(LISTED + 5):
        look.tensor(f"w{number}", (1,), "float32", 4)
    for number in range(25):
        look.find("refused", f"fault {number}")
    file = look.done("a.pt", "state_dict", "torch.save file", 7)
    assert (len(file.tensors.first), file.tensors.count, file.tensors.more) == (LISTED, LISTED + 5, 5)
    assert file.tensor_bytes == 4 * (LISTED + 5)
    assert len(file.findings) == 11
    assert file.findings[-1].message == "15 more of this kind"


def test_a_message_steers_no_terminal() -> None:
    look = Look()
    look.find("unusual", "a\x1b[31mb\n::error::c")
    file = look.done("a.pt", "state_dict", "torch.save file", 7)
    assert file.findings[0].message == r"a\x1b[31mb\n::error::c"
    assert len(cut("x" * 10_000)) < 600
