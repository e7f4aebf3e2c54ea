"""sse-starlette under uvicorn as its documentation shows it: a queue and a generator for each client. `queues.py PORT RATE EVERY_MS`."""

import asyncio
import json
import sys
import time

import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.routing import Route

PORT, RATE, EVERY = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000
queues = set()


async def feed():
    n, owed = 0, 0.0
    while True:
        await asyncio.sleep(EVERY)
        owed += RATE * EVERY
        while owed >= 1:
            owed, n = owed - 1, n + 1
            item = f"microsoft-wins-long-term-contract-{n:010}"
            data = {"n": n, "item_id": item, "ticker": "MSFT", "score": 0.642}
            data |= {"label": "positive", "confidence": 0.871, "source": "market-brief", "at": int(time.time() * 1000)}
            data |= {"title": "Microsoft wins long-term contract", "url": f"https://example.com/MSFT/{item}"}
            data |= {"author": "B. Okafor"}
            update = {"event": "update", "id": str(n), "data": json.dumps(data)}
            for queue in queues:
                queue.put_nowait(update)


async def events(request):
    async def updates():
        queue = asyncio.Queue()
        queues.add(queue)
        try:
            yield {"event": "hello", "data": "{}"}
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)

    return EventSourceResponse(updates())


async def main():
    feeding = asyncio.create_task(feed())
    app = Starlette(routes=[Route("/events", events)])
    await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=PORT, log_level="error", backlog=4096)).serve()
    feeding.cancel()


asyncio.run(main())
