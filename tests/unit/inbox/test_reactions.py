"""Each message that we understand has somebody who follows it."""

import inspect

from prometheus_client import CollectorRegistry

from scheduling.application.ports import messages
from scheduling.application.ports.messages import Message
from scheduling.entrypoints.inbox.figures import InboxFigures
from scheduling.entrypoints.inbox.reactions import reactions_over
from tests.architecture.wire import every
from tests.builders import EIGHT
from tests.fakes.almanac import MemoryAlmanac
from tests.fakes.storage import MemoryStorage


def test_every_message_has_a_reaction() -> None:
    known = {
        kind
        for kind in every(Message)
        if kind.__module__ == messages.__name__ and not inspect.isabstract(kind)
    }
    figures = InboxFigures(CollectorRegistry())
    found = reactions_over(
        MemoryStorage().begin, lambda: EIGHT, figures, MemoryAlmanac()
    )
    assert set(found) == known
