"""The two commands of `aws dynamodb` that the doctor gives, for a DynamoDB at AWS_ENDPOINT_URL_DYNAMODB."""

import json
import os
import sys
import urllib.error
import urllib.request

OPERATIONS = {"describe-table": "DescribeTable", "scan": "Scan"}
OPTIONS = {"--table-name": "TableName", "--index-name": "IndexName", "--limit": "Limit"}

service, command, *arguments = sys.argv[1:]
assert service == "dynamodb" and arguments[-4:] == ["--region", "us-east-1", "--output", "json"], sys.argv
body = {}
arguments = arguments[:-4]
while arguments:
    option = arguments.pop(0)
    if option != "--no-paginate":
        value = arguments.pop(0)
        body[OPTIONS[option]] = int(value) if option == "--limit" else value
request = urllib.request.Request(
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"],
    json.dumps(body).encode(),
    {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810." + OPERATIONS[command],
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
    },
)
try:
    sys.stdout.write(urllib.request.urlopen(request).read().decode())
except urllib.error.HTTPError as error:
    fault = json.load(error)
    kind = fault["__type"].rsplit("#")[-1]
    sys.exit(f"\nAn error occurred ({kind}) when calling the {OPERATIONS[command]} operation: {fault.get('message')}")
