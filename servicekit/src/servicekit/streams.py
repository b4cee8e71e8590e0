"""The streams and consumers of `contracts.streams` on a real JetStream.

Services use them and may not create them: see `servicekit.provision` and deploy/nats.conf.
"""

import asyncio

from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError

from contracts.streams import Consumer, Stream
from servicekit.errors import Unreachable

RETENTION = {"limits": RetentionPolicy.LIMITS, "work_queue": RetentionPolicy.WORK_QUEUE}
START_SECONDS = 10
"""How long a service waits at its start for its streams."""
RETRY_SECONDS = 0.1


async def until_provisioned(js: JetStreamContext, *needed: Stream | Consumer) -> None:
    """Returns once all of them exist. Raises `Unreachable` if one does not within 10 s."""
    missing = ""
    try:
        async with asyncio.timeout(START_SECONDS):
            for one in needed:
                missing = one.name
                while not await _exists(js, one):  # noqa: ASYNC110  (there is no event for it)
                    await asyncio.sleep(RETRY_SECONDS)
    except TimeoutError as error:
        raise Unreachable(f"JetStream has no {missing}: it is not provisioned") from error


async def _exists(js: JetStreamContext, needed: Stream | Consumer) -> bool:
    try:
        if isinstance(needed, Consumer):
            await js.consumer_info(needed.stream.name, needed.name)
        else:
            await js.stream_info(needed.name)
    except Error:  # it does not exist, or JetStream is not ready
        return False
    return True


async def ensure_streams(js: JetStreamContext, *streams: Stream) -> None:
    """Creates missing streams and updates the others to their definition. Safe to run concurrently."""
    for stream in streams:
        config = _stream_config(stream)
        try:
            await js.add_stream(config)
        except BadRequestError:  # it exists with another configuration
            await js.update_stream(config)


async def ensure_consumers(js: JetStreamContext, *consumers: Consumer) -> None:
    """Creates the consumers or updates them to their definition."""
    for consumer in consumers:
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
