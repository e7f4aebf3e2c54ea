"""Runs the real command line of AWS, many times in a test: loading it takes longer than what it is asked.

A connection has standard input, output and error of the caller with its first bytes, then what aws_client.py says of the caller;
its answer is one byte, the status. The command ends with the connection: with its caller.
"""

import os
import socket
import sys
import time

import awscli.clidriver
import botocore.loaders
import nursery

# Where its data is, which it found out as it was loaded.
DATA_PATH = os.environb[b"AWS_DATA_PATH"]
# Models of services are read once, as many of them as a test asks for, and not changed by those who use them.
LOADED = {}
load_file = botocore.loaders.JSONFileLoader.load_file


def load_once(self, path):
    """Reads what is at a path, or was there before the fork."""
    if path not in LOADED:
        LOADED[path] = load_file(self, path)
    return LOADED[path]


botocore.loaders.JSONFileLoader.load_file = load_once


def received(connection):
    """Returns the open files and the fields that the caller sends."""
    head, files, _, _ = socket.recv_fds(connection, 8, 3)
    with connection.makefile("rb") as rest:
        size = int.from_bytes(head + rest.read(8 - len(head)), "big")
        return files, rest.read(size).split(b"\0")


def answer(connection):
    """Runs one command, as if the caller had."""
    files, (folder, count, *fields) = received(connection)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    arguments, environment = fields[: int(count)], fields[int(count) :]
    os.environb.clear()
    os.environb.update(entry.split(b"=", 1) for entry in environment)
    os.environb[b"AWS_DATA_PATH"] = DATA_PATH
    time.tzset()
    sys.argv = ["aws", *map(os.fsdecode, arguments)]
    nursery.end_with(connection)
    status = ended(awscli.clidriver.main)
    # Whoever reads no more is told so by the status.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            status = 255
    connection.sendall(bytes([status & 0xFF]))


def ended(main):
    """Returns the status with which a program ends."""
    try:
        return main() or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


if __name__ == "__main__":
    # What commands read and load.
    session = awscli.clidriver.create_clidriver().session
    for service in sys.argv[1:]:
        session.create_client(service, "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    nursery.run(answer)
