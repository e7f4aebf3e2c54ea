"""Packs one program as the zip that Lambda wants: the same program gives the same bytes.

It must not know how the program was built. The time, the owner and the permissions are fixed, because an archive that
differs without a change in the program means a deployment without a reason.
"""

import contextlib
import os
import sys
import zipfile

ENTRY = "bootstrap"  # the name that the runtime provided.al2023 starts
OLDEST_TIME = (1980, 1, 1, 0, 0, 0)  # the first that the format can hold
UNIX = 3
REGULAR_FILE_0755 = 0o100755 << 16


def pack(program: str, archive: str) -> None:
    """Writes `archive` holding `program`; never leaves half an archive under that name."""
    entry = zipfile.ZipInfo(ENTRY, OLDEST_TIME)
    entry.create_system = UNIX
    entry.external_attr = REGULAR_FILE_0755
    entry.compress_type = zipfile.ZIP_DEFLATED
    scratch = archive + ".new"
    with open(program, "rb") as source:
        data = source.read()
    try:
        with zipfile.ZipFile(scratch, "w") as target:
            target.writestr(entry, data, compresslevel=9)
        os.replace(scratch, archive)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.remove(scratch)
        sys.exit(f"error: {archive} cannot be written: {error.strerror}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: zip.py PROGRAM ARCHIVE")
    pack(sys.argv[1], sys.argv[2])
