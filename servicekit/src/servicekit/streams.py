"""The streams and consumers of `contracts.streams` on a real JetStream."""

from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError

from contracts.streams import Consumer, Stream

RETENTION = {"limits": RetentionPolicy.LIMITS, "work_queue": RetentionPolicy.WORK_QUEUE}


async def ensure_streams(js: JetStreamContext, *streams: Stream) -> None:
    """Creates missing streams and brings the others to their definition. Safe from any number of replicas."""
    for stream in streams:
        config = _stream_config(stream)
        try:
            await js.add_stream(config)
        except BadRequestError:  # it is there, with another configuration
            await js.update_stream(config)


async def ensure_consumer(js: JetStreamContext, consumer: Consumer) -> None:
    """Creates the consumer or brings it to its definition."""
    config = ConsumerConfig(
        durable_name=consumer.name,
        description=consumer.description,
        deliver_policy=DeliverPolicy.NEW if consumer.only_new else None,
        ack_wait=consumer.ack_wait,
        max_deliver=-1,
        max_ack_pending=consumer.max_ack_pending,
    )
    await js.add_consumer(consumer.stream.name, config)


def _stream_config(stream: Stream) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        description=stream.description,
        subjects=list(stream.subjects),
        retention=RETENTION[stream.retention],
        storage=StorageType.FILE,
        max_age=stream.max_age,
        max_bytes=stream.max_bytes,
        discard=DiscardPolicy.OLD,
        duplicate_window=stream.duplicate_window,
        allow_direct=stream.direct_get,
    )
