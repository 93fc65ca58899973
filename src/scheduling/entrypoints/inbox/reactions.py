"""What we do when an event arrives, by what it says."""

from scheduling.application.commands.receive_event import Reactions
from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.messages import (
    AppointmentRequested,
    CalendarNews,
    DoctorCreated,
    EncounterFinalized,
    PatientDeleted,
    PatientNews,
    PractitionerRoleDeleted,
    PractitionerRoleNews,
    RoutedNews,
    TimeFreed,
    VisitTold,
)
from scheduling.application.ports.sub_files import Alarms
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.reactions.bridge_portal_appointment import (
    BridgePortalAppointment,
)
from scheduling.application.reactions.complete_visit import CompleteVisit
from scheduling.application.reactions.end_practitioner_role import EndPractitionerRole
from scheduling.application.reactions.forget_patient import ForgetPatient
from scheduling.application.reactions.generate_slots_for_role import (
    GenerateSlotsForRole,
)
from scheduling.application.reactions.in_turn import InTurn
from scheduling.application.reactions.keep_patient import KeepPatient
from scheduling.application.reactions.keep_practitioner_role import (
    KeepPractitionerRole,
)
from scheduling.application.reactions.offer_freed_time import OfferFreedTime
from scheduling.application.reactions.open_sub_file import OpenSubFile
from scheduling.application.reactions.request_encounter import RequestEncounter
from scheduling.application.reactions.route_notification import RouteNotification
from scheduling.application.reactions.tell_of_visit import TellOfVisit
from scheduling.application.reactions.welcome_doctor import WelcomeDoctor


def reactions_over(
    begin: BeginWork, now: Clock, alarms: Alarms, almanac: Almanac
) -> Reactions:
    return {
        AppointmentRequested: BridgePortalAppointment(begin, now),
        CalendarNews: GenerateSlotsForRole(begin, now, almanac),
        DoctorCreated: WelcomeDoctor(begin, now),
        EncounterFinalized: CompleteVisit(begin, now),
        PatientDeleted: ForgetPatient(begin, now),
        PatientNews: KeepPatient(begin, now),
        PractitionerRoleDeleted: EndPractitionerRole(begin, now),
        PractitionerRoleNews: KeepPractitionerRole(begin, now),
        RoutedNews: RouteNotification(begin, now),
        TimeFreed: OfferFreedTime(begin, now),
        VisitTold: InTurn(
            (
                OpenSubFile(begin, now, alarms),
                TellOfVisit(begin, now),
                RequestEncounter(begin, now, alarms),
            )
        ),
    }
