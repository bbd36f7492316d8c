"""Clients that leave, servers that have to end, and more requests than are taken."""

import asyncio
import contextlib

import pytest

from ops.serve.events import paced
from ops.serve.presence import whole
from tests.ops.serve.library import CHAT, MADE, NEVER, STREAM, Visit


async def begun(library, visit):
    while not library.made:
        await asyncio.wait((visit.task,), timeout=0.01)
    job = library.made[0]
    await getattr(job, "job", job).asked.wait()
    return job


@pytest.mark.parametrize("answer", [NEVER, [NEVER], ["Good", NEVER]])
def test_a_client_that_leaves_has_its_task_cancelled_at_once(app, library, key, logged, answer):
    library.answer = answer

    async def leave():
        visit = Visit(app, key, CHAT if answer is NEVER else STREAM)
        job = await begun(library, visit)
        visit.leave()
        await asyncio.wait_for(visit.task, 10)
        return getattr(job, "given_up", False) or getattr(job, "closed", False)

    assert asyncio.run(leave())
    assert ("status=200" in logged()) == ("end=left" in logged()) == (answer == ["Good", NEVER])
    assert ("status=499" in logged()) == (answer != ["Good", NEVER])


@pytest.mark.parametrize("answer", [NEVER, [NEVER], ["Good", NEVER]])
def test_a_server_that_has_to_end_says_so_and_cancels(app, library, key, logged, answer):
    library.answer = answer

    async def stop():
        visit = Visit(app, key, CHAT if answer is NEVER else STREAM)
        job = await begun(library, visit)
        visit.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(visit.task, 10)
        assert getattr(job, "given_up", False) or getattr(job, "closed", False)
        return visit

    visit = asyncio.run(stop())
    assert "server_stopping" in visit.text
    assert "[DONE]" not in visit.text
    assert visit.sent[-1].get("more_body", False) is False


def test_more_requests_than_the_server_takes_are_refused_until_one_has_ended(app, library, key):
    library.answer = NEVER

    async def crowd():
        first = Visit(app, key, CHAT)
        await begun(library, first)
        library.answer = MADE
        second = Visit(app, key, CHAT)
        await second.task
        first.leave()
        await first.task
        third = Visit(app, key, CHAT)
        await third.task
        return second.sent[0], third.sent[0]

    second, third = asyncio.run(crowd())
    assert (second["status"], third["status"]) == (429, 200)
    assert b"retry-after" in dict(second["headers"])


def test_a_stream_in_which_nothing_comes_says_now_and_then_that_it_lives():
    async def slow():
        await asyncio.Event().wait()
        yield {}

    async def look():
        events = paced(slow(), 0.01)
        seen = [await anext(events), await anext(events)]
        await events.aclose()
        return seen

    assert asyncio.run(look()) == [None, None]


def test_what_a_client_asked_for_that_left_meanwhile_is_undone_once_it_is_there():
    async def leave():
        arrives, undone = asyncio.Event(), []

        async def submit():
            await arrives.wait()
            return "job"

        task = asyncio.ensure_future(whole(submit(), undone.append))
        await asyncio.wait((task,), timeout=0.01)
        task.cancel()
        await asyncio.wait((task,), timeout=0.01)
        assert undone == []
        arrives.set()
        await asyncio.gather(task, return_exceptions=True)
        return undone, task.cancelled()

    assert asyncio.run(leave()) == (["job"], True)
