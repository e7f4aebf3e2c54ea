"""sse-starlette as its documentation shows it, under uvicorn: a generator for each client, here with ids and short pings."""

import asyncio
import sys

import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.routing import Route

# Short, so that the pings are seen within a test.
PING_SECONDS = 0.5
EVERY_SECONDS = 0.03

latest = 0


async def count():
    global latest
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        latest += 1


async def numbers():
    sent = latest
    while True:
        while sent < latest:
            sent += 1
            yield {"event": "update", "id": str(sent), "data": f'{{"n": {sent}}}'}
        await asyncio.sleep(EVERY_SECONDS)


async def events(request):
    return EventSourceResponse(numbers(), ping=PING_SECONDS)


async def bulk(request):
    async def much():
        while True:
            yield {"event": "bulk", "data": "x" * 65536}
            await asyncio.sleep(0.002)

    return EventSourceResponse(much(), ping=PING_SECONDS)


async def main():
    app = Starlette(routes=[Route("/events", events), Route("/bulk", bulk)])
    counting = asyncio.create_task(count())
    config = uvicorn.Config(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
    await uvicorn.Server(config).serve()
    counting.cancel()


asyncio.run(main())
