"""What a route may ask for. Wiring makes it; routes find it on the request's state."""

from dataclasses import dataclass

from scheduling.application.commands.accept_waitlist_offer import AcceptWaitlistOffer
from scheduling.application.commands.add_schedule_exception import AddScheduleException
from scheduling.application.commands.add_to_waitlist import AddToWaitlist
from scheduling.application.commands.block_slot import BlockSlot
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.book_held_appointment import BookHeldAppointment
from scheduling.application.commands.book_series import BookSeries
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.create_schedule import CreateSchedule
from scheduling.application.commands.create_slot import CreateSlot
from scheduling.application.commands.decline_waitlist_offer import (
    DeclineWaitlistOffer,
)
from scheduling.application.commands.delete_practitioner_role import (
    DeletePractitionerRole,
)
from scheduling.application.commands.edit_appointment import EditAppointment
from scheduling.application.commands.fulfill_waitlist_entry import (
    FulfillWaitlistEntry,
)
from scheduling.application.commands.generate_slots import GenerateSlots
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.commands.make_waitlist_offer import MakeWaitlistOffer
from scheduling.application.commands.patch_practitioner_role import (
    PatchPractitionerRole,
)
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_patient import PutPatient
from scheduling.application.commands.put_practitioner import PutPractitioner
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.commands.put_settings import PutSettings
from scheduling.application.commands.read_all_notifications import (
    ReadAllNotifications,
)
from scheduling.application.commands.read_notification import ReadNotification
from scheduling.application.commands.release_hold import ReleaseHold
from scheduling.application.commands.remove_from_waitlist import RemoveFromWaitlist
from scheduling.application.commands.remove_schedule_exception import (
    RemoveScheduleException,
)
from scheduling.application.commands.reschedule_appointment import RescheduleAppointment
from scheduling.application.commands.unblock_slot import UnblockSlot
from scheduling.application.commands.update_appointment_status import (
    UpdateAppointmentStatus,
)
from scheduling.application.commands.update_appointment_statuses import (
    UpdateAppointmentStatuses,
)
from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.audit import AuditClient
from scheduling.application.ports.availability import ReadSettings
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.event_feed import EventFeed
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.queries.explain_availability import ExplainAvailability
from scheduling.application.queries.find_next_available import FindNextAvailable
from scheduling.application.queries.find_open_locations import FindOpenLocations
from scheduling.application.queries.find_waitlist_candidates import (
    FindWaitlistCandidates,
)
from scheduling.application.queries.follow_events import FollowEvents
from scheduling.application.queries.get_appointment_by_id import GetAppointmentById
from scheduling.application.queries.get_appointment_history import (
    GetAppointmentHistory,
)
from scheduling.application.queries.get_appointment_series import GetAppointmentSeries
from scheduling.application.queries.get_calendar_view import GetCalendarView
from scheduling.application.queries.get_location import GetLocation
from scheduling.application.queries.get_patient import GetPatient
from scheduling.application.queries.get_practitioner import GetPractitioner
from scheduling.application.queries.get_practitioner_role import GetPractitionerRole
from scheduling.application.queries.get_schedule import GetSchedule
from scheduling.application.queries.get_schedule_exception import GetScheduleException
from scheduling.application.queries.get_settings import GetSettings
from scheduling.application.queries.get_slot import GetSlot
from scheduling.application.queries.get_statistics import GetStatistics
from scheduling.application.queries.get_waitlist import GetWaitlist
from scheduling.application.queries.get_waitlist_entry import GetWaitlistEntry
from scheduling.application.queries.list_generation_runs import ListGenerationRuns
from scheduling.application.queries.list_locations import ListLocations
from scheduling.application.queries.list_notifications import ListNotifications
from scheduling.application.queries.list_patient_appointments import (
    ListPatientAppointments,
)
from scheduling.application.queries.list_practitioners import ListPractitioners
from scheduling.application.queries.list_reminders import ListReminders
from scheduling.application.queries.list_schedule_exceptions import (
    ListScheduleExceptions,
)
from scheduling.application.queries.list_schedule_slots import ListScheduleSlots
from scheduling.application.queries.list_schedules import ListSchedules
from scheduling.application.queries.list_slots import ListSlots
from scheduling.application.queries.list_sub_files import ListSubFiles
from scheduling.application.queries.list_todays_appointments import (
    ListTodaysAppointments,
)
from scheduling.application.queries.list_upcoming_appointments import (
    ListUpcomingAppointments,
)
from scheduling.application.queries.preview_availability_pattern import (
    PreviewAvailabilityPattern,
)
from scheduling.application.queries.search_available_slots import SearchAvailableSlots
from scheduling.application.queries.search_patients import SearchPatients


@dataclass(frozen=True, slots=True)
class Commands:
    """What changes something."""

    book_appointment: BookAppointment
    cancel_appointment: CancelAppointment
    release_hold: ReleaseHold
    hold_slot: HoldSlot
    update_appointment_status: UpdateAppointmentStatus
    update_appointment_statuses: UpdateAppointmentStatuses
    generate_slots: GenerateSlots
    edit_appointment: EditAppointment
    reschedule_appointment: RescheduleAppointment
    book_held_appointment: BookHeldAppointment
    book_series: BookSeries
    create_schedule: CreateSchedule
    create_slot: CreateSlot
    block_slot: BlockSlot
    unblock_slot: UnblockSlot
    add_schedule_exception: AddScheduleException
    remove_schedule_exception: RemoveScheduleException
    put_practitioner: PutPractitioner
    put_location: PutLocation
    put_patient: PutPatient
    put_practitioner_role: PutPractitionerRole
    patch_practitioner_role: PatchPractitionerRole
    delete_practitioner_role: DeletePractitionerRole
    put_settings: PutSettings
    add_to_waitlist: AddToWaitlist
    fulfill_waitlist_entry: FulfillWaitlistEntry
    make_waitlist_offer: MakeWaitlistOffer
    accept_waitlist_offer: AcceptWaitlistOffer
    decline_waitlist_offer: DeclineWaitlistOffer
    remove_from_waitlist: RemoveFromWaitlist
    read_notification: ReadNotification
    read_all_notifications: ReadAllNotifications

    @classmethod
    def over(cls, begin: BeginWork, now: Clock, almanac: Almanac) -> "Commands":
        return cls(
            generate_slots=GenerateSlots(begin, now, almanac),
            book_appointment=BookAppointment(begin, now),
            cancel_appointment=CancelAppointment(begin, now),
            release_hold=ReleaseHold(begin, now),
            hold_slot=HoldSlot(begin, now),
            update_appointment_status=UpdateAppointmentStatus(begin, now),
            update_appointment_statuses=UpdateAppointmentStatuses(begin, now),
            edit_appointment=EditAppointment(begin, now),
            reschedule_appointment=RescheduleAppointment(begin, now),
            book_held_appointment=BookHeldAppointment(begin, now),
            book_series=BookSeries(begin, now),
            create_schedule=CreateSchedule(begin, now),
            create_slot=CreateSlot(begin, now),
            block_slot=BlockSlot(begin, now),
            unblock_slot=UnblockSlot(begin, now),
            add_schedule_exception=AddScheduleException(begin, now),
            remove_schedule_exception=RemoveScheduleException(begin, now),
            put_practitioner=PutPractitioner(begin, now),
            put_location=PutLocation(begin, now),
            put_patient=PutPatient(begin, now),
            put_practitioner_role=PutPractitionerRole(begin, now),
            patch_practitioner_role=PatchPractitionerRole(begin, now),
            delete_practitioner_role=DeletePractitionerRole(begin, now),
            put_settings=PutSettings(begin, now),
            add_to_waitlist=AddToWaitlist(begin, now),
            fulfill_waitlist_entry=FulfillWaitlistEntry(begin, now),
            make_waitlist_offer=MakeWaitlistOffer(begin, now),
            accept_waitlist_offer=AcceptWaitlistOffer(begin, now),
            decline_waitlist_offer=DeclineWaitlistOffer(begin, now),
            remove_from_waitlist=RemoveFromWaitlist(begin, now),
            read_notification=ReadNotification(begin, now),
            read_all_notifications=ReadAllNotifications(begin, now),
        )

    def within(self, begin: BeginWork, now: Clock) -> "Commands":
        """The same, in a transaction that is open."""
        return Commands.over(begin, now, self.generate_slots.almanac)


@dataclass(frozen=True, slots=True)
class Queries:
    """What only looks."""

    get_appointment_by_id: GetAppointmentById
    get_appointment_history: GetAppointmentHistory
    list_reminders: ListReminders
    list_notifications: ListNotifications
    list_sub_files: ListSubFiles
    get_appointment_series: GetAppointmentSeries
    list_todays_appointments: ListTodaysAppointments
    list_upcoming_appointments: ListUpcomingAppointments
    list_patient_appointments: ListPatientAppointments
    get_calendar_view: GetCalendarView
    get_statistics: GetStatistics
    get_practitioner: GetPractitioner
    get_location: GetLocation
    get_patient: GetPatient
    list_practitioners: ListPractitioners
    list_locations: ListLocations
    search_patients: SearchPatients
    get_practitioner_role: GetPractitionerRole
    get_schedule: GetSchedule
    list_schedules: ListSchedules
    list_schedule_slots: ListScheduleSlots
    get_schedule_exception: GetScheduleException
    list_schedule_exceptions: ListScheduleExceptions
    list_generation_runs: ListGenerationRuns
    get_slot: GetSlot
    get_waitlist: GetWaitlist
    get_waitlist_entry: GetWaitlistEntry
    find_waitlist_candidates: FindWaitlistCandidates
    get_settings: GetSettings
    search_available_slots: SearchAvailableSlots
    find_next_available: FindNextAvailable
    explain_availability: ExplainAvailability
    find_open_locations: FindOpenLocations
    list_slots: ListSlots
    preview_availability_pattern: PreviewAvailabilityPattern
    follow_events: FollowEvents

    @classmethod
    def over(
        cls,
        begin: BeginWork,
        settings: ReadSettings,
        now: Clock,
        audit: AuditClient,
        feed: EventFeed,
    ) -> "Queries":
        return cls(
            get_appointment_by_id=GetAppointmentById(begin, audit),
            get_appointment_history=GetAppointmentHistory(begin, audit),
            list_reminders=ListReminders(begin, audit),
            list_notifications=ListNotifications(begin, audit),
            list_sub_files=ListSubFiles(begin, audit),
            get_appointment_series=GetAppointmentSeries(begin, audit),
            list_todays_appointments=ListTodaysAppointments(begin, now, audit),
            list_upcoming_appointments=ListUpcomingAppointments(begin, now, audit),
            list_patient_appointments=ListPatientAppointments(begin, now, audit),
            get_calendar_view=GetCalendarView(begin, now, audit),
            get_statistics=GetStatistics(begin),
            get_practitioner=GetPractitioner(begin),
            get_location=GetLocation(begin),
            get_patient=GetPatient(begin, audit),
            list_practitioners=ListPractitioners(begin),
            list_locations=ListLocations(begin),
            search_patients=SearchPatients(begin, audit),
            get_practitioner_role=GetPractitionerRole(begin),
            get_schedule=GetSchedule(begin),
            list_schedules=ListSchedules(begin),
            list_schedule_slots=ListScheduleSlots(begin, now),
            get_schedule_exception=GetScheduleException(begin),
            list_schedule_exceptions=ListScheduleExceptions(begin),
            list_generation_runs=ListGenerationRuns(begin),
            get_slot=GetSlot(begin, now),
            get_waitlist=GetWaitlist(begin, audit),
            get_waitlist_entry=GetWaitlistEntry(begin, audit),
            find_waitlist_candidates=FindWaitlistCandidates(begin, now, audit),
            get_settings=GetSettings(begin),
            search_available_slots=SearchAvailableSlots(begin, settings, now),
            find_next_available=FindNextAvailable(begin, settings, now),
            explain_availability=ExplainAvailability(begin, settings, now, audit),
            find_open_locations=FindOpenLocations(begin, settings, now),
            list_slots=ListSlots(begin, settings, now),
            preview_availability_pattern=PreviewAvailabilityPattern(),
            follow_events=FollowEvents(feed, audit),
        )
