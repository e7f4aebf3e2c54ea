"""A client of httpx-sse: writes each event of the stream at the given URL as a line of JSON, and connects again as the
package's own documentation does it, with `sse.id` and `sse.retry`."""

import json
import sys
import time

import httpx
from httpx_sse import connect_sse

last_event_id = ""
delay = 1.0
with httpx.Client(trust_env=False) as client:
    while True:
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        try:
            with connect_sse(client, "GET", sys.argv[1], headers=headers) as source:
                for sse in source.iter_sse():
                    last_event_id = sse.id
                    if sse.retry is not None:
                        delay = sse.retry / 1000
                    print(json.dumps({"event": sse.event, "data": sse.data}), flush=True)
        except httpx.TransportError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        time.sleep(delay)
