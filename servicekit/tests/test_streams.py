"""Streams are brought to their definition, also those that an earlier version has made."""

from contracts.streams import Stream
from servicekit.streams import ensure_streams
from standalone.nats import Nats
from standalone.testing import connection


async def test_a_stream_takes_other_subjects_and_keeps_its_messages(broker: Nats):
    before = Stream(name="RENAMED", description="Before.", subjects=("renamed.*.old.*",), max_age=60, direct_get=True)
    after = before.model_copy(update={"description": "After.", "subjects": ("renamed-log.*.*",)})
    async with connection(broker, "admin") as nc:
        js = nc.jetstream()
        try:
            await ensure_streams(js, before)
            await js.publish("renamed.u.old.r", b"old")
            for _ in range(2):
                await ensure_streams(js, after)
                info = await js.stream_info("RENAMED")
                assert (info.config.subjects, info.config.description) == (["renamed-log.*.*"], "After.")
            await js.publish("renamed-log.u.r", b"new")
            assert (await js.stream_info("RENAMED")).state.messages == 2
        finally:
            await js.delete_stream("RENAMED")
