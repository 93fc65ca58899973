/**
 * What stands in the grid: an appointment, a free time, a group slot with its patients, or
 * a blocked time. Made from what `GET /v1/calendar` gave; times are the clinic's wall.
 */
import type { BookedTime, CalendarDay, SlotTime } from '~/api/client'
import {
  addDays,
  type Day,
  type Instant,
  isBefore,
  minutesBetween,
  minutesLater,
  type Wall,
  wallOf,
} from '~/time/zoned'

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
/** Where a visit that is being moved would come to lie: drawn, and nothing to press */
export type Ghost = Placed & { kind: 'ghost'; free: boolean; patientName: string }
export type Drawn = Entry | Ghost

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
  const start = wallOf(one.start, zone)
  const end = wallOf(one.end, zone)
  return {
    id: one.id,
    practitionerId: one.practitionerId,
    start,
    // Over the hour that is there twice the wall may end before it begins: then it is
    // drawn as long as it takes.
    end: end > start ? end : minutesLater(start, minutesBetween(one.start, one.end)),
  }
}

/** The hours that a grid of these days shows: those in use, and a working day at least. */
export function hoursOf(entries: readonly Entry[], first: Day, days: number): { from: number; to: number } {
  let [from, to] = [8, 18]
  const last = addDays(first, days - 1)
  for (const { start, end } of entries) {
    const [begins, ends] = [start.slice(0, 10), end.slice(0, 10)]
    const midnight = end.endsWith('T00:00:00')
    // Over midnight: up to the end of the one day, and from the beginning of the other.
    const overnight = begins !== ends && !(midnight && addDays(begins, 1) === ends)
    if (overnight && ends <= last) from = 0
    else if (begins >= first) from = Math.min(from, Math.floor(hour(start)))
    if (begins !== ends && begins >= first) to = 24
    else to = Math.max(to, Math.ceil(hour(end)))
  }
  return { from, to }
}

/** Minutes from midnight */
export const minutesOf = (wall: Wall): number => Math.round(hour(wall) * 60)

const hour = (wall: Wall): number => Number(wall.slice(11, 13)) + Number(wall.slice(14, 16)) / 60

/** Minutes, as they stand on the wall */
export const lengthOf = ({ start, end }: { start: Wall; end: Wall }): number =>
  (Date.parse(`${end}Z`) - Date.parse(`${start}Z`)) / 60_000

const LINE = 20
/** Pixels that one line of text takes in an entry */
const HALF_HOUR = 56
const TALLEST = 120

/** How many pixels half an hour takes, so that the shortest entry has room for its line. */
export function heightFor(entries: readonly Entry[]): number {
  const shortest = entries.reduce((least, entry) => Math.min(least, lengthOf(entry)), 30)
  return Math.min(TALLEST, Math.max(HALF_HOUR, Math.ceil((LINE * 30) / shortest)))
}

/** Of so few minutes that there is room for one line only */
export const isShort = (entry: Drawn, halfHour: number): boolean => (lengthOf(entry) / 30) * halfHour < 2 * LINE
