"""Answers each connection in a process of its own, forked from one that has loaded what takes seconds to load.

It listens on a socket without a file, prints the socket's name, and ends when stdin does.
"""

import gc
import os
import select
import signal
import socket
import sys
import threading
import traceback


def run(answer):
    """Answers connections, each by `answer(connection)` in a process of its own."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        # The system makes up a name.
        listener.bind("")
        listener.listen(64)
        # What is there now is shared by all: nobody looks through it for garbage, which would copy it.
        gc.collect()
        gc.freeze()
        # Nobody waits for those that have ended.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print(listener.getsockname()[1:].decode(), flush=True)
        while _next(listener, answer):
            pass


def end_with(connection):
    """Ends this process when the other end closes the connection, or dies."""

    def end():
        connection.recv(1)
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()


def _next(listener, answer):
    """Waits for a connection or for the end; returns whether it is a connection. Without a thread, which a fork would lose."""
    ready, _, _ = select.select([listener, sys.stdin], [], [])
    if sys.stdin in ready:
        return False
    connection, _ = listener.accept()
    with connection:
        if os.fork() == 0:
            _child(listener, connection, answer)
    return True


def _child(listener, connection, answer):
    """Answers one connection and ends."""
    status = 1
    try:
        listener.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        answer(connection)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
