"""Files elsewhere: `s3://`, `gs://`, `hf://`, `https://` and their like, by way of fsspec.

A remote file has a place in a temporary folder, under its own name. All that opens files takes that place for it; the
content is brought there when somebody is about to read it, and taken away again when others are. What is said of the
place names the address, without the credentials that may be in it.
"""

from rfav_cli.remote.addresses import address_of, without_secrets
from rfav_cli.remote.files import exists, upload
from rfav_cli.remote.mirror import bring, is_place, keep, place, shown, speaking

__all__ = [
    "address_of",
    "bring",
    "exists",
    "is_place",
    "keep",
    "place",
    "shown",
    "speaking",
    "upload",
    "without_secrets",
]
