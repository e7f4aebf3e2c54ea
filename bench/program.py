#!/usr/bin/env python3
"""Processor time of one poll of whole programs `local`, each on the same table of DynamoDB Local, three new rows a second.

    bench/program.py ROWS SECONDS PROGRAM...

The programs may be of any version: they are asked for nothing but a stream. DYNAMODB_LOCAL_DIR says where DynamoDB Local is.
"""

import concurrent.futures
import datetime
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

RATE = 3  # rows a second, while it is measured and for the 25 minutes before
RECENT_SECS = 25 * 60
POLL_SECS = 5
LOAD_SECS_MAX = 150
LABELS = ["positive", "neutral", "negative"]
TICKERS = ["AAPL", "MSFT", "NVDA", "AMZN", "GOOG", "META", "TSLA", "AVGO"]
KEY = "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Table:
    """The tables of one DynamoDB Local, which is ended with it."""

    def __init__(self, folder):
        self.port, self.mine, self.written, self.last = free_port(), threading.local(), 0, 0.0
        java = ["java", "-Xmx2g", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
        java += ["-inMemory", "-sharedDb", "-port", str(self.port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.java = subprocess.Popen(java, cwd=folder, env={**os.environ, "DDB_LOCAL_TELEMETRY": "0"}, **quiet)

    def call(self, operation, body):
        head = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
        head |= {"Authorization": KEY, "X-Amz-Date": "20260101T000000Z"}
        for _ in range(300):
            try:
                if getattr(self.mine, "open", None) is None:
                    self.mine.open = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.mine.open.request("POST", "/", json.dumps(body), head)
                answer = self.mine.open.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                self.mine.open = None
                time.sleep(0.2)
                continue
            if answer.status != 200:
                raise SystemExit(f"{operation}: {answer.status} {text!r}")
            return json.loads(text)
        raise SystemExit("DynamoDB Local does not answer")

    def create(self):
        def table(name, hash_key, range_key, index=None):
            def keys(of, by):
                return [{"AttributeName": of, "KeyType": "HASH"}, {"AttributeName": by, "KeyType": "RANGE"}]

            names = [hash_key, range_key] + ([index] if index else [])
            made = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys(hash_key, range_key)}
            made["AttributeDefinitions"] = [{"AttributeName": one, "AttributeType": "S"} for one in names]
            if index:
                of = {"IndexName": f"by_{index}", "KeySchema": keys(index, range_key)}
                made["GlobalSecondaryIndexes"] = [of | {"Projection": {"ProjectionType": "ALL"}}]
            self.call("CreateTable", made)

        table("items", "source_id", "timestamp", "sentiment")
        table("users", "PK", "SK")

    def row(self, number, at):
        moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
        tickers = [{"S": TICKERS[(number + i) % len(TICKERS)]} for i in range(1 + number % 3)]
        texts = {"source_id": f"item-{number:08}", "sentiment": LABELS[number % 3], "source": "newswire", "status": "analyzed"}
        texts["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        item = {name: {"S": text} for name, text in texts.items()} | {"matched_tickers": {"L": tickers}}
        return {"PutRequest": {"Item": item | {"score": {"N": f"0.{number % 1000:03}"}, "confidence": {"N": "0.87"}}}}

    def put(self, left):
        while left:
            left = self.call("BatchWriteItem", {"RequestItems": {"items": left}}).get("UnprocessedItems", {}).get("items")

    def write(self, times):
        rows = [self.row(self.written + i, at) for i, at in enumerate(times)]
        self.written += len(rows)
        with concurrent.futures.ThreadPoolExecutor(8) as writers:
            list(writers.map(self.put, [rows[i : i + 25] for i in range(0, len(rows), 25)]))

    def fill(self, rows):
        now, recent = time.time(), RECENT_SECS * RATE
        rest = max(rows - recent, 0)
        self.write([now - RECENT_SECS - i * 23.4 * 3600 / rest for i in range(rest)])
        self.write([now - i / RATE for i in range(min(recent, rows))])
        self.last = now

    def go_on(self, until):
        """Writes what should have been written since the last row, each second, until that is true or the time has come."""
        while not until():
            count = int((time.time() - self.last) * RATE)
            self.write([self.last + (i + 1) / RATE for i in range(count)])
            self.last += count / RATE
            time.sleep(1)


def cpu_ms(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def measure(table, program, seconds):
    ports = {"STREAM_PORT": str(free_port()), "DASHBOARD_PORT": str(free_port())}
    env = {"STORE": "dynamodb", "SENTIMENTS_TABLE": "items", "USERS_TABLE": "users", "AWS_REGION": "us-east-1"}
    env |= {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{table.port}", "SSE_POLL_INTERVAL": f"{POLL_SECS}s"}
    env |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "SSE_MAX_SESSION": "880"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen([program], env=env | ports, **quiet)
    try:
        stream = None
        while stream is None and child.poll() is None:
            try:
                stream = socket.create_connection(("127.0.0.1", int(ports["STREAM_PORT"])))
            except OSError:
                time.sleep(0.1)
        if stream is None:
            raise SystemExit(f"{program} ended with {child.returncode}")
        stream.sendall(b"GET /api/v2/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        seen = {b"event: metrics": 0, b"event: sentiment_update": 0}

        def read():
            for line in stream.makefile("rb"):
                if line.strip() in seen:
                    seen[line.strip()] += 1

        threading.Thread(target=read, daemon=True).start()
        began = time.time()
        table.go_on(lambda: seen[b"event: metrics"] > 0 or time.time() > began + LOAD_SECS_MAX)
        if not seen[b"event: metrics"]:
            return f"no `metrics` within {LOAD_SECS_MAX} s"
        loaded = time.time() - began
        settled = time.time() + 3 * POLL_SECS
        table.go_on(lambda: time.time() > settled)
        cpu, updates, start = cpu_ms(child.pid), seen[b"event: sentiment_update"], time.time()
        table.go_on(lambda: time.time() > start + seconds)
        polls, cpu = (time.time() - start) / POLL_SECS, cpu_ms(child.pid) - cpu
        updates = seen[b"event: sentiment_update"] - updates
        return f"{cpu / polls:.1f} ms a poll ({polls:.0f} polls, {updates} updates); `metrics` after {loaded:.0f} s"
    finally:
        child.kill()
        child.wait()


def main():
    rows, seconds, programs = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    root = pathlib.Path(__file__).resolve().parent.parent
    table = Table(os.environ.get("DYNAMODB_LOCAL_DIR", root / ".tools" / "dynamodb-local"))
    try:
        table.create()
        table.fill(rows)
        for program in programs:
            print(f"{program}: {measure(table, program, seconds)}", flush=True)
    finally:
        table.java.kill()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main()
