/** One appointment with all that belongs to it, read at once and kept up to date. */
import { answered, api, type Appointment } from '~/api/client'
import type { components } from '~/api/schema'
import { Refusal } from '~/api/refusal'
import { live } from '~/app/live.svelte'
import { refreshing } from '~/app/refresh'

type Schemas = components['schemas']
export type Patient = Schemas['PatientView']
export type Reminder = Schemas['ReminderView']
export type Change = Schemas['AuditRecordView']
export type Practitioner = Schemas['PractitionerView']

const OTHERS = 12
/** Other visits of the patient that are asked for */

export class Visit {
  appointment = $state.raw<Appointment | null>(null)
  patient = $state.raw<Patient | null>(null)
  reminders = $state.raw<Reminder[]>([])
  history = $state.raw<Change[]>([])
  others = $state.raw<Appointment[]>([])
  subFile = $state<string | null>(null)
  /** How many its series has; null where it is of none */
  seriesCount = $state<number | null>(null)
  failed = $state.raw<Refusal | null>(null)

  constructor(readonly id: string) {}

  /** Read it, and again with each news of it; return how to stop. */
  follow(): () => void {
    const again = refreshing(() => this.read())
    again()
    return live.listen((news) => {
      if (news === null || news.subject === this.id || news.data.appointmentId === this.id) again()
    })
  }

  async read(): Promise<void> {
    const params = { path: { id: this.id } }
    try {
      const [appointment, history, reminders] = await Promise.all([
        answered(api.GET('/v1/appointments/{id}', { params })),
        this.changes(),
        answered(api.GET('/v1/appointments/{id}/reminders', { params })),
        // Who it is follows from the appointment; read before, it is the same person's.
        this.patient ? this.readPatient(this.patient.id) : undefined,
      ])
      if (!this.patient) await this.readPatient(appointment.patientId)
      // It is read on news and after what was done here: the older answer may come last.
      if (appointment.version < (this.appointment?.version ?? 0)) return
      this.history = history
      this.reminders = reminders.items
      this.appointment = appointment
      this.failed = null
      await Promise.all([this.readSubFile(appointment), this.readSeries(appointment)])
    } catch (error) {
      this.failed = Refusal.of(error)
    }
  }

  /** Return what was done to it so far, the oldest first. */
  async changes(): Promise<Change[]> {
    const params = { path: { id: this.id } }
    const found = await answered(api.GET('/v1/appointments/{id}/history', { params }))
    return found.items
  }

  private async readPatient(patientId: string): Promise<void> {
    const path = { id: patientId }
    const [patient, visits] = await Promise.all([
      answered(api.GET('/v1/patients/{id}', { params: { path } })),
      answered(
        api.GET('/v1/patients/{id}/appointments', { params: { path, query: { limit: OTHERS } } }),
      ),
    ])
    this.others = visits.items.filter((one) => one.id !== this.id)
    this.patient = patient
  }

  private async readSeries({ seriesId }: Appointment): Promise<void> {
    if (seriesId === null || this.seriesCount !== null) return
    const params = { path: { id: seriesId } }
    const { items } = await answered(api.GET('/v1/appointments/series/{id}', { params }))
    this.seriesCount = items.length
  }

  private async readSubFile(appointment: Appointment): Promise<void> {
    const path = { id: appointment.patientId }
    const { items } = await answered(api.GET('/v1/patients/{id}/sub-files', { params: { path } }))
    // Of the clinic, where the appointment does not name it yet: it is opened just after.
    const one =
      items.find((file) => file.id === appointment.subFileId) ??
      items.find((file) => file.locationId === appointment.locationId)
    this.subFile = one?.number ?? null
  }
}

/** Who may be shown in a dialog over the panel, and what is told when it is done. */
export interface Within {
  visit: Visit
  one: Appointment
  patient: Patient
  done: (text: string) => Promise<void>
  onclose: () => void
}
