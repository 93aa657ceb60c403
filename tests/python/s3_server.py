"""An S3 server (moto) with one empty bucket: `s3_server.py BUCKET PORT`; a port of 0 is any.

Each line of its stdin is an object to delete, as somebody else might; it ends with its stdin.
"""

import json
import sys

import boto3
from moto.server import ThreadedMotoServer

bucket, port = sys.argv[1], int(sys.argv[2])
server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
server.start()
host, port = server.get_host_and_port()
client = boto3.client(
    "s3",
    endpoint_url=f"http://127.0.0.1:{port}",
    aws_access_key_id="quant",
    aws_secret_access_key="quant",
    region_name="us-east-1",
)
client.create_bucket(Bucket=bucket)
print(json.dumps({"listening": f"127.0.0.1:{port}"}), flush=True)
for line in sys.stdin:
    client.delete_object(Bucket=bucket, Key=line.strip())
