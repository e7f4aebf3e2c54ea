"""Starts AWS in memory for one test after the other. A connection is one line, then its answer:

- `serve LOG`: a server with nothing in it, on loopback, which says its port and ends when the connection does. So it cannot outlive
  the test, however that ends. What it says otherwise goes to the file LOG.
- `inventory PORT`: what exists in the server with that port, as JSON.
"""

import os
import random

import inventory
import nursery
import server
from moto.moto_api._internal import mock_random
from werkzeug.serving import make_server

APPLICATION = server.new_application()


def serve(connection, log):
    """Serves as long as the connection is there."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    # Each account has ids of its own.
    random.seed()
    mock_random.seed()
    nursery.end_with(connection)
    listening = make_server("127.0.0.1", 0, APPLICATION, threaded=True)
    connection.sendall(f"{listening.server_port}\n".encode())
    listening.serve_forever()


def answer(connection):
    """Does what the connection's line asks for."""
    with connection.makefile("r") as lines:
        what, _, argument = lines.readline().strip().partition(" ")
    if what == "serve":
        serve(connection, argument)
    elif what == "inventory":
        connection.sendall(inventory.taken(argument).encode())


if __name__ == "__main__":
    inventory.load()
    nursery.run(answer)
