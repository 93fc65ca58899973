/** A booking that is being made: what was said so far, and how it is asked for. */
import { answered, api, type SlotTime } from '~/api/client'
import { Refusal } from '~/api/refusal'
import { announcer } from '~/app/announcer.svelte'
import { keepingFocus } from '~/app/focus'
import { Hold } from '~/booking/hold.svelte'
import type { Patient } from '~/patients/search.svelte'
import { session } from '~/signin/session.svelte'
import { minutesBetween } from '~/time/zoned'

/** A room or a device that the visit takes */
export interface Thing {
  type: 'room' | 'device'
  id: string
}

/** What an override overrides; all else stays refused. */
const OVERRIDABLE = new Set(['SLOT_NOT_AVAILABLE', 'DOUBLE_BOOKING_DETECTED', 'BUFFER_TIME_CONFLICT'])

/** Another time would do. */
const OF_THE_TIME = new Set([
  ...OVERRIDABLE,
  'SLOT_NOT_FOUND',
  'OUTSIDE_SCHEDULE',
  'OUTSIDE_BOOKING_WINDOW',
  'BOOKING_LIMIT_REACHED',
  'PRACTITIONER_NOT_AVAILABLE',
  'PRACTITIONER_NOT_ASSIGNED',
  'HOLD_EXPIRED',
])

export const FEWEST = 2
export const MOST = 52
/** Occurrences of a series */

/** Types that were booked here before, the latest first: to be chosen again. */
export const usedTypes = $state<string[]>([])

export class Booking {
  slot = $state.raw<SlotTime | null>(null)
  patient = $state.raw<Patient | null>(null)
  type = $state('')
  minutes = $state(0)
  reason = $state('')
  notes = $state('')
  things = $state<Thing[]>([])
  weekly = $state(false)
  occurrences = $state(4)
  override = $state(false)
  overrideReason = $state('')

  busy = $state(false)
  refused = $state.raw<Refusal | null>(null)
  /** Fields that are not right yet, seen when it was to be sent */
  wrong = $state.raw<ReadonlySet<string>>(new Set())

  readonly hold = new Hold()
  readonly mayOverride = $derived(
    this.refused !== null &&
      OVERRIDABLE.has(this.refused.code) &&
      !this.weekly &&
      !this.hold.held &&
      session.may('scheduling:override'),
  )
  readonly otherTimeHelps = $derived(this.refused !== null && OF_THE_TIME.has(this.refused.code))
  /** One key for one wish: asked again after silence, it is not booked twice. */
  private key = { of: '', is: '' }
  private closed = false

  constructor(slot: SlotTime | null) {
    if (slot) this.at(slot)
  }

  /** Take that time; all else that was said stays. */
  at(slot: SlotTime): void {
    this.hold.release()
    this.hold.ranOut = false
    const services = slot.serviceTypes
    if (!this.type || (this.slot?.serviceTypes.includes(this.type) && !services.includes(this.type)))
      this.type = services[0] ?? this.type
    this.slot = slot
    this.minutes = minutesBetween(slot.start, slot.end)
    this.refused = null
    this.override = false
  }

  /** Keep the time while they talk. */
  async keep(): Promise<void> {
    if (this.busy || !this.slot || !this.complete()) return
    await this.asking(() => this.hold.take(this.slot!, this.patient!.id, this.type.trim()))
  }

  /** Book it; false: it was refused, or is not complete, and nothing that was said is lost. */
  async book(): Promise<boolean> {
    if (this.busy || !this.slot || !this.complete()) return false
    const done = await this.asking(() => (this.weekly ? this.bookSeries() : this.bookOne()))
    if (this.closed && this.refused) announcer.refused(this.refused)
    if (done) {
      this.hold.forget()
      const type = this.type.trim()
      usedTypes.splice(0, usedTypes.length, type, ...usedTypes.filter((one) => one !== type))
    }
    else if (this.refused?.code === 'HOLD_EXPIRED') this.hold.forget(true)
    return done
  }

  /** Nobody looks any more. What was sent may still be refused: then the page says so. */
  close(): void {
    this.closed = true
    this.hold.close()
  }

  private complete(): boolean {
    const wrong = new Set<string>()
    if (!this.patient) wrong.add('patient')
    if (!this.type.trim()) wrong.add('type')
    const times = this.occurrences
    if (this.weekly && !(Number.isInteger(times) && FEWEST <= times && times <= MOST)) wrong.add('occurrences')
    if (this.things.some((one) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(one.id.trim())))
      wrong.add('things')
    if (this.override && !this.overrideReason.trim()) wrong.add('override')
    this.wrong = wrong
    return wrong.size === 0
  }

  private asking(work: () => Promise<unknown>): Promise<boolean> {
    return keepingFocus(() => this.ask(work))
  }

  private async ask(work: () => Promise<unknown>): Promise<boolean> {
    this.busy = true
    try {
      await work()
      this.refused = null
      return true
    } catch (error) {
      this.refused = Refusal.of(error)
      return false
    } finally {
      this.busy = false
    }
  }

  private async bookOne(): Promise<void> {
    const held = this.hold.held
    const override = this.override && !held
    const body = {
      ...this.said(),
      allowDoubleBooking: override,
      ...(held ? { holdId: held.id } : {}),
      ...(override ? { overrideReason: this.overrideReason.trim() } : {}),
    }
    await answered(api.POST('/v1/appointments', { body, headers: this.keyed(body) }))
  }

  private async bookSeries(): Promise<void> {
    const body = { ...this.said(), occurrences: this.occurrences }
    await answered(api.POST('/v1/appointments/series', { body, headers: this.keyed(body) }))
  }

  private said() {
    const slot = this.slot!
    const whole = this.minutes === minutesBetween(slot.start, slot.end)
    const { practitionerId, locationId, start } = slot
    return {
      ...(whole ? { slotId: slot.id } : { practitionerId, locationId, start, durationMinutes: this.minutes }),
      patientId: this.patient!.id,
      appointmentType: this.type.trim(),
      reason: this.reason.trim() || null,
      notes: this.notes.trim() || null,
      resources: this.things.map((one) => ({ type: one.type, id: one.id.trim() })),
    }
  }

  private keyed(body: object) {
    const of = JSON.stringify(body)
    if (this.key.of !== of) this.key = { of, is: crypto.randomUUID() }
    return { 'Idempotency-Key': this.key.is }
  }
}
