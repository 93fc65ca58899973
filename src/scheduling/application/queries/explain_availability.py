from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.audit import AuditClient, asked_for
from scheduling.application.ports.availability import ReadSettings
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.offers import demand_own_patient
from scheduling.application.steps.period_asked_for import period_asked_for
from scheduling.domain.explaining import Question, Stretch, explain
from scheduling.domain.identifiers import LocationId, PractitionerId
from scheduling.domain.local_days import Span

LONGEST_EXPLANATION = 7
"""Days."""


@dataclass(frozen=True, slots=True)
class ExplainAvailability:
    """Say of every moment of a practitioner's time whether it is offered, and if not,
    why not. When a patient is taken is told of that patient: it leaves a trace.
    """

    begin: BeginWork
    settings: ReadSettings
    now: Clock
    audit: AuditClient

    async def __call__(
        self,
        caller: Caller,
        practitioner_id: PractitionerId,
        location_id: LocationId | None,
        question: Question,
        span: Span,
        *,
        timezone: str | None = None,
    ) -> Sequence[Stretch]:
        span.demand_days(LONGEST_EXPLANATION)
        demand_own_patient(caller, question.patient_id)
        settings, now = await self.settings(caller), self.now()
        where = Whose(location_ids=() if location_id is None else (location_id,))
        async with self.begin(caller) as work:
            period = await period_asked_for(work, span, timezone, where)
            known = await work.availability.circumstances(
                practitioner_id,
                location_id,
                question,
                period,
                settings=settings,
                now=now,
            )
        if question.patient_id is not None:
            about = asked_for(caller, patient=question.patient_id)
            await self.audit.record(caller, "availability.explanation.read", about)
        return explain(question, known, period, settings=settings, now=now)
