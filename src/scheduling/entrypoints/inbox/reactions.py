"""What we do when an event arrives, by what it says."""

from scheduling.application.commands.receive_event import Reactions
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.messages import CalendarNews
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.reactions.generate_slots_for_role import (
    GenerateSlotsForRole,
)


def reactions_over(begin: BeginWork, now: Clock) -> Reactions:
    return {
        CalendarNews: GenerateSlotsForRole(begin, now),
    }
