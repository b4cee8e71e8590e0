"""Request and reply over a real broker: transfer of requests, responses and errors."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from contracts import chat, errors, files, note_history, note_transfer, notes
from contracts.operation import Operation
from servicekit import bus, rpc
from standalone.testing import SLOW_SECONDS

from .echo import ECHO, EchoRequest, EchoResponse, echo, raising, serving

OTHER = Operation("notes.other", EchoRequest, EchoResponse)


@pytest.mark.parametrize("text", ["", "plain", "\0\r\n\u2028😀é", '"\\' * 100, "x" * 1_000_000])
async def test_requests_and_responses_arrive(service, caller, text):
    async with serving(service, echo):
        assert await rpc.call(caller, ECHO, EchoRequest(text=text)) == EchoResponse(text=text)


def test_no_request_waits_for_longer_than_is_promised():
    operations = [
        value for module in (chat, files, note_history, note_transfer, notes) for value in vars(module).values()
    ]
    timeouts = {operation.name: operation.timeout for operation in operations if isinstance(operation, Operation)}
    assert len(timeouts) > 30
    # these wait for as long as it takes to read a whole file
    assert max(timeouts.pop(slow.name) for slow in (files.UPLOAD_FINISH, files.PREVIEW)) <= 120
    assert max(timeouts.values()) <= 5


EVERY_ERROR = [
    errors.NotFound(),
    errors.NotFound("There is no note “Ünïcode”,\r\nNats-Service-Error-Code: 200\r\n\r\nover two lines"),
    errors.AuthRequired(),
    errors.InvalidCredentials(),
    errors.Forbidden(),
    errors.UsernameTaken(),
    errors.SignUpClosed(),
    errors.RunActive(run_id="01a1f803-1bb6-71cb-a4bd-11a0ef1419e7"),
    errors.ChangesConflict(conflicts=[{"reason": "changed since", "note": {"title": "Ünïcode"}}]),
    errors.StaleBranch(current_message_id=None),
    errors.QuotaExceeded(),
    errors.UploadConflict(offset=5),
    errors.CursorExpired(),
    errors.VersionConflict(current={"title": "Ünïcode", "body": "x" * 300_000, "tags": [], "version": 3}),
    errors.PayloadTooLarge(),
    errors.ValidationFailed(errors=[{"field": "title", "message": "is too long"}]),
    errors.RateLimited(retry_after=7),
    errors.ServiceUnavailable(retry_after=3),
]


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.code)
async def test_an_error_arrives_as_it_was_raised(service, caller, error):
    async with serving(service, await raising(error)):
        with pytest.raises(type(error)) as raised:
            await rpc.call(caller, ECHO, EchoRequest())
    assert raised.value.details == error.details
    assert raised.value.message.split() == error.message.split()  # a header has no line breaks


def test_every_error_is_tried():
    assert {error.code for error in EVERY_ERROR} == set(errors.BY_CODE) - {errors.Internal.code}


async def test_the_headers_of_an_error_are_those_of_the_micro_protocol(service, caller):
    async with serving(service, await raising(errors.RateLimited("Slow down.", retry_after=7))):
        reply = await caller.request(ECHO.subject, b"{}", timeout=SLOW_SECONDS)
    assert reply.headers == {
        "Nats-Service-Error": "Slow down.",
        "Nats-Service-Error-Code": "429",
        "Inkstream-Error-Code": "rate_limited",
    }
    assert reply.data == b'{"retry_after":7}'


async def test_an_unknown_error_is_logged_and_returned_without_details(service, caller):
    with capture_logs() as logged:
        async with serving(service, await raising(RuntimeError("password=hunter2"))):
            reply = await caller.request(ECHO.subject, b'{"text":"x"}', timeout=SLOW_SECONDS)
            with pytest.raises(errors.Internal) as raised:
                await rpc.call(caller, ECHO, EchoRequest())
    assert "hunter2" not in f"{reply.headers} {reply.data}"
    assert raised.value.message == errors.Internal.__doc__
    assert [(entry["event"], entry["subject"]) for entry in logged] == [("request failed", ECHO.subject)] * 2
    assert all(entry["exc_info"] for entry in logged)


async def test_an_answer_that_is_no_model_is_an_internal_error(service, caller):
    async def nothing(_: EchoRequest) -> EchoResponse:
        return None  # pyright: ignore[reportReturnType]

    with capture_logs():
        async with serving(service, nothing):
            with pytest.raises(errors.Internal):
                await rpc.call(caller, ECHO, EchoRequest())


async def test_an_answer_the_broker_does_not_take_is_an_error_and_not_silence(service, caller):
    async def large(_: EchoRequest) -> EchoResponse:
        return EchoResponse(text="x" * 5_000_000)

    with capture_logs() as logged:
        async with serving(service, large):
            with pytest.raises(errors.Internal):
                await rpc.call(caller, ECHO, EchoRequest(), timeout=SLOW_SECONDS)
    assert logged


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (b"", [""]),
        (b"not json", [""]),
        (b"[]", [""]),
        (b'{"text":5}', ["text"]),
        (b'{"text":null,"secret":"hunter2"}', ["text", "secret"]),
        (b'{"text":"\\ud800"}', [""]),
    ],
)
async def test_a_request_that_is_not_valid_names_the_fields_and_never_the_values(service, caller, payload, fields):
    async with serving(service, echo):
        reply = await caller.request(ECHO.subject, payload, timeout=SLOW_SECONDS)
    error = rpc.headers.read_error(reply.headers, reply.data)
    assert isinstance(error, errors.ValidationFailed)
    assert [problem["field"] for problem in error.details["errors"]] == fields
    assert all(problem["message"] for problem in error.details["errors"])
    assert b"hunter2" not in reply.data


async def test_a_validation_error_inside_a_handler_is_the_services_fault(service, caller):
    async def broken(_: EchoRequest) -> EchoResponse:
        return EchoResponse.model_validate({"text": 5})

    with capture_logs() as logged:
        async with serving(service, broken):
            with pytest.raises(errors.Internal):
                await rpc.call(caller, ECHO, EchoRequest())
    assert logged


async def test_a_missing_service_is_reported_at_once(caller):
    async with asyncio.timeout(SLOW_SECONDS):
        with pytest.raises(errors.ServiceUnavailable):
            await rpc.call(caller, OTHER, EchoRequest(), timeout=10 * SLOW_SECONDS)


async def test_silence_is_reported_after_the_timeout(service, caller):
    release = asyncio.Event()

    async def silent(_: EchoRequest) -> EchoResponse:
        await release.wait()
        return EchoResponse(text="late")

    async with serving(service, silent):
        started = time.monotonic()
        with pytest.raises(errors.ServiceUnavailable):
            await rpc.call(caller, ECHO, EchoRequest(), timeout=0.3)
        assert 0.3 <= time.monotonic() - started < SLOW_SECONDS
        release.set()


async def test_a_lost_connection_is_reported_at_once(broker):
    async with bus.connected(broker.url("gateway"), "gone") as nc:
        pass
    with pytest.raises(errors.ServiceUnavailable):
        await rpc.call(nc, ECHO, EchoRequest())


async def test_a_request_the_broker_does_not_take_is_too_large(service, caller):
    async with serving(service, echo):
        with pytest.raises(errors.PayloadTooLarge):
            await rpc.call(caller, ECHO, EchoRequest(text="x" * 4_900_000))
        assert (await rpc.call(caller, ECHO, EchoRequest(text="still here"))).text == "still here"
