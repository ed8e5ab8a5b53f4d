"""A stranger's program: pika and the messages generated from protos/, nothing of this package.

Run with the generated code on the path: ADDRESS, then a file name and a path (or `-`) in turn.
"""

import sys
from pathlib import Path

import pika

from fashionmap.v1 import events_pb2


def main() -> None:
    address, *pairs = sys.argv[1:]
    with pika.BlockingConnection(pika.URLParameters(address)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for name, path in zip(pairs[::2], pairs[1::2], strict=True):
            data = b"" if path == "-" else Path(path).read_bytes()
            offer = events_pb2.PhotoOffered(collection="c", file_name=name, data=data)
            offer.metadata["season"].text = "SS26"
            offer.metadata["price"].number = 12.5
            send(channel, offer.SerializeToString(), "fashionmap.v1.PhotoOffered")
        lost = events_pb2.PhotoOffered(collection="c", file_name="lost.jpg", key="no/such/key")
        send(channel, lost.SerializeToString(), "fashionmap.v1.PhotoOffered")
        theirs = events_pb2.PhotoOffered(
            collection="c", file_name="theirs.jpg", key="collections/d/photos/x/original"
        )
        send(channel, theirs.SerializeToString(), "fashionmap.v1.PhotoOffered")
        send(channel, b"\xff\xff", "fashionmap.v1.PhotoOffered")
        send(channel, b"", "fashionmap.v1.Elephant")
        nameless = events_pb2.PhotoOffered(collection="../up", file_name="up.jpg", data=b"x")
        send(channel, nameless.SerializeToString(), "fashionmap.v1.PhotoOffered")
    ours = {name for name in sys.modules if name.startswith("fashionmap.")}
    assert ours == {"fashionmap.v1", "fashionmap.v1.events_pb2"}, ours


def send(channel, body: bytes, type_: str) -> None:
    properties = pika.BasicProperties(
        type=type_, content_type="application/protobuf", delivery_mode=2
    )
    channel.basic_publish("fashionmap.events", "photo.offered", body, properties, mandatory=True)


if __name__ == "__main__":
    main()
