"""The JetStream streams: what they capture, how long they keep it, and how a service makes sure that they are there."""

from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError

from contracts import subjects

SECOND, HOUR = 1, 3600

RUN_JOBS = StreamConfig(
    name="RUN_JOBS",
    description="Runs that wait for a worker.",
    subjects=[subjects.ALL_RUN_JOBS],
    retention=RetentionPolicy.WORK_QUEUE,
    storage=StorageType.FILE,
    duplicate_window=10 * SECOND,
)
RUN_EVENTS = StreamConfig(
    name="RUN_EVENTS",
    description="The events of runs, for whoever comes later; the database answers once they are gone.",
    subjects=[subjects.ALL_USER_RUNS],
    retention=RetentionPolicy.LIMITS,
    storage=StorageType.FILE,
    max_age=1 * HOUR,
    max_bytes=1024**3,
    discard=DiscardPolicy.OLD,
    # the server keeps every message id of the window in memory, and readers drop repeats by number anyhow
    duplicate_window=10 * SECOND,
    allow_direct=True,
)
NOTE_EVENTS = StreamConfig(
    name="NOTE_EVENTS",
    description="Note changes of the last day, in cursor order per user.",
    subjects=[subjects.ALL_USER_NOTES],
    retention=RetentionPolicy.LIMITS,
    storage=StorageType.FILE,
    max_age=24 * HOUR,
    max_bytes=256 * 1024**2,
    discard=DiscardPolicy.OLD,
    duplicate_window=10 * SECOND,
    allow_direct=True,
)

RUN_WORKERS = ConsumerConfig(
    durable_name="workers",
    description="Every agent service pulls from this one consumer.",
    ack_wait=10 * SECOND,
    max_deliver=-1,
    max_ack_pending=10_000,
)
"""A worker says "in progress" well within `ack_wait`; a job of a worker that stopped saying so goes to another."""
NOTE_LEARNERS = ConsumerConfig(
    durable_name="learners",
    description="Every notes service that learns what notes mean pulls from this one consumer.",
    deliver_policy=DeliverPolicy.NEW,
    ack_wait=60 * SECOND,
    max_deliver=-1,
    max_ack_pending=10_000,
)
"""What was before is found in the database."""


async def ensure(js: JetStreamContext, *configs: StreamConfig) -> None:
    """Creates missing streams and brings the others to their definition. Safe from any number of replicas."""
    for config in configs:
        try:
            await js.add_stream(config)
        except BadRequestError:  # it is there, with another configuration
            await js.update_stream(config)
