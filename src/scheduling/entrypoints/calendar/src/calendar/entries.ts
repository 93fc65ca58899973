/**
 * What stands in the grid: an appointment, a free time, a group slot with its patients, or
 * a blocked time. Made from what `GET /v1/calendar` gave; times are the clinic's wall.
 */
import type { BookedTime, CalendarDay, SlotTime } from '~/api/client'
import { isBefore, wallOf, type Instant, type Wall } from '~/time/zoned'

interface Placed {
  id: string
  practitionerId: string
  start: Wall
  end: Wall
}
export type Entry =
  | (Placed & { kind: 'appointment'; appointment: BookedTime })
  | (Placed & { kind: 'free'; slot: SlotTime })
  | (Placed & { kind: 'group'; slot: SlotTime; patients: BookedTime[] })
  | (Placed & { kind: 'blocked'; slot: SlotTime })

/** Of a status that takes the practitioner's time, or did: shown in the grid. */
const SHOWN = new Set(['pending', 'booked', 'confirmed', 'arrived', 'in-progress', 'completed', 'no-show'])

export const isMovable = (one: BookedTime): boolean =>
  ['pending', 'booked', 'confirmed'].includes(one.status)

/** A hold that has run out takes nothing, though nobody has swept it yet. */
export const hasRunOut = (one: BookedTime, now: Instant): boolean =>
  one.status === 'pending' && one.holdExpiresAt !== null && !isBefore(now, one.holdExpiresAt)

export function entriesOf(days: CalendarDay[], zone: string, now: Instant): Entry[] {
  const slots = days.flatMap((day) => day.slots)
  const appointments = days
    .flatMap((day) => day.appointments)
    .filter((one) => SHOWN.has(one.status) && !hasRunOut(one, now))
  const groups = new Map<string, BookedTime[]>()
  for (const slot of slots) if (slot.capacity > 1) groups.set(slot.id, [])
  const entries: Entry[] = []
  for (const appointment of appointments) {
    const group = appointment.slotIds.map((id) => groups.get(id)).find(Boolean)
    if (group) group.push(appointment)
    else entries.push({ kind: 'appointment', appointment, ...placed(appointment, zone) })
  }
  for (const slot of slots) {
    const place = placed(slot, zone)
    const patients = groups.get(slot.id)
    if (slot.status === 'busy-unavailable') entries.push({ kind: 'blocked', slot, ...place })
    else if (patients) entries.push({ kind: 'group', slot, patients, ...place })
    else if (slot.remaining > 0 && slot.status === 'free' && !isBefore(slot.start, now))
      entries.push({ kind: 'free', slot, ...place })
  }
  return entries
}

function placed(one: BookedTime | SlotTime, zone: string): Placed {
  return {
    id: one.id,
    practitionerId: one.practitionerId,
    start: wallOf(one.start, zone),
    end: wallOf(one.end, zone),
  }
}

/** The hours that a grid shows: those in use, and a working day at least. */
export function hoursOf(entries: Entry[]): { from: number; to: number } {
  let [from, to] = [8, 18]
  for (const { start, end } of entries) {
    from = Math.min(from, Number(start.slice(11, 13)))
    const over = start.slice(0, 10) !== end.slice(0, 10)
    to = Math.max(to, over ? 24 : Math.ceil(Number(end.slice(11, 13)) + Number(end.slice(14, 16)) / 60))
  }
  return { from, to }
}
