"""Decodes event streams with httpx-sse: a JSON array of arrays of base64 pieces in, a JSON array of arrays of events out."""

import base64
import json
import sys

import httpx
from httpx_sse import EventSource


class Pieces(httpx.SyncByteStream):
    def __init__(self, pieces):
        self.pieces = pieces

    def __iter__(self):
        return iter(self.pieces)


def events(pieces):
    stream = Pieces([base64.b64decode(piece) for piece in pieces])
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)
    return [
        {"event": event.event, "data": event.data, "id": event.id, "retry": event.retry}
        for event in EventSource(response).iter_sse()
        # httpx-sse reports a block that holds nothing but `retry` as an event, which a browser does not.
        if event.data or event.retry is None
    ]


json.dump([events(pieces) for pieces in json.load(sys.stdin)], sys.stdout)
