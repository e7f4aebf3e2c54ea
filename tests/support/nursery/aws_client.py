"""The command `aws` for those who have aws.py at a socket: `aws_client.py SOCKET ARGUMENT...`. It loads next to nothing."""

import _signal
import _socket
import os
import sys

# As the real one ends, without a word of Python's.
_signal.signal(_signal.SIGINT, _signal.SIG_DFL)
name, *arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
environment = [key + b"=" + value for key, value in os.environb.items()]
fields = b"\0".join([os.getcwdb(), b"%d" % len(arguments), *arguments, *environment])
connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
connection.connect(b"\0" + name)
files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
connection.sendmsg([len(fields).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
sent = 0
while sent < len(fields):
    sent += connection.send(fields[sent:])
status = connection.recv(1)
if not status:
    sys.exit("aws: it ended without a status")
sys.exit(status[0])
