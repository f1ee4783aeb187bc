from __future__ import annotations

from pathlib import Path

import pytest

from rfav_cli.remote.addresses import address_of, without_secrets


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("s3://bucket/run", "s3://bucket/run"),
        (Path("s3://bucket/run"), "s3://bucket/run"),
        ("S3://bucket/run", "s3://bucket/run"),
        ("https://host/a.pt?sig=1", "https://host/a.pt?sig=1"),
        ("hf://user/repo/epoch_*.pt", "hf://user/repo/epoch_*.pt"),
        ("memory://a", "memory://a"),
        ("runs/a.pt", None),
        ("cifar10:data", None),
        ("C:/data/a.pt", None),
        ("s3:///", None),
        ("s3:", None),
        ("file:///etc/passwd", None),
        ("zip://a::s3://bucket/b", None),
        ("hf:folder", None),
    ],
)
def test_what_is_an_address(path: str | Path, address: str | None) -> None:
    assert address_of(path) == address


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("https://me:secret@host:80/a/b.pt", "https://host:80/a/b.pt"),
        ("https://host/a.pt?X-Signature=secret&b=1", "https://host/a.pt"),
        ("https://host/a.pt#secret", "https://host/a.pt"),
        ("s3://key:secret@bucket/a.pt", "s3://bucket/a.pt"),
        ("s3://bucket/epoch_?.pt", "s3://bucket/epoch_?.pt"),
        ("s3://bucket/a.pt?versionId=secret", "s3://bucket/a.pt"),
        ("hf://user/repo@main/a.pt", "hf://user/repo@main/a.pt"),
        ("abfs://box@account.net/a.pt", "abfs://box@account.net/a.pt"),
        ("403, url='https://a:secret@h/x?secret' and http://b/y", "403, url='https://h/x' and http://b/y"),
        ("runs/a.pt?b=1", "runs/a.pt?b=1"),
    ],
)
def test_what_is_shown_of_one(text: str, public: str) -> None:
    assert without_secrets(text) == public
