"""A dashboard's stream as FastAPI programs are written: sse-starlette under uvicorn, a loop for each connection that reads the whole
window of every label at each poll and sends what has changed. Settings are those variables of ours that it has a use for."""

import asyncio
import json
import os
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta, timezone

import boto3
from boto3.dynamodb.conditions import Key
from fastapi import FastAPI, HTTPException
from sse_starlette import EventSourceResponse

LABELS = ("positive", "neutral", "negative")
POLL = float(os.environ.get("SSE_POLL_INTERVAL", "5").removesuffix("s"))
HEARTBEAT = 15.0
WINDOW = timedelta(hours=24)
MAX_CONNECTIONS = 100

app = FastAPI()
table = boto3.resource("dynamodb").Table(os.environ["SENTIMENTS_TABLE"])
started = time.monotonic()


class Connections:
    def __init__(self):
        self.count = 0
        self.lock = threading.Lock()

    def acquire(self):
        with self.lock:
            if self.count >= MAX_CONNECTIONS:
                return False
            self.count += 1
            return True

    def release(self):
        with self.lock:
            self.count = max(0, self.count - 1)


connections = Connections()


def rows_of(label, since):
    condition = Key("sentiment").eq(label) & Key("timestamp").gte(since)
    query = {"IndexName": "by_sentiment", "KeyConditionExpression": condition}
    while True:
        page = table.query(**query)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def metrics():
    now = datetime.now(timezone.utc)
    since, hour = (now - WINDOW).isoformat(), (now - timedelta(hours=1)).isoformat()
    counts, tickers, last_hour = Counter(), Counter(), 0
    for label in LABELS:
        for row in rows_of(label, since):
            counts[label] += 1
            tickers.update(row.get("matched_tickers", ()))
            last_hour += row["timestamp"] >= hour
    total = sum(counts.values())
    return {"total": total, **{label: counts[label] for label in LABELS}, "by_tag": dict(tickers), "rate_last_hour": last_hour,
            "rate_last_24h": total}


def event(name, data):
    data["timestamp"] = datetime.now(timezone.utc).isoformat()
    return {"event": name, "id": f"evt_{uuid.uuid4().hex[:12]}", "data": json.dumps(data)}


def heartbeat():
    return event("heartbeat", {"connections": connections.count, "uptime_seconds": int(time.monotonic() - started)})


async def updates():
    try:
        yield heartbeat()
        beat, before = time.monotonic(), None
        while True:
            now = await asyncio.to_thread(metrics)
            if now != before:
                before = dict(now)
                yield event("metrics", now)
            if time.monotonic() - beat >= HEARTBEAT:
                beat = time.monotonic()
                yield heartbeat()
            await asyncio.sleep(POLL)
    finally:
        connections.release()


@app.get("/health")
async def health():
    return {"status": "healthy"}


@app.get("/api/v2/stream")
async def stream():
    if not connections.acquire():
        raise HTTPException(503, "Connection limit reached. Try again later.")
    return EventSourceResponse(updates())
