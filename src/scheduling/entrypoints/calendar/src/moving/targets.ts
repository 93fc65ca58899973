/**
 * Where an appointment may go: the starts of slots in the columns that are shown, each
 * with whether it is free as far as the page knows. The server has the last word.
 */
import type { BookedTime, CalendarDay, SlotTime } from '~/api/client'
import { addMinutes, type Day, dayOf, type Instant, isBefore, minutesBetween, type Wall, wallOf } from '~/time/zoned'

export interface Target {
  practitionerId: string
  day: Day
  start: Instant
  /** On the clinic's wall */
  wall: Wall
  /** Minutes until the slot ends that begins there */
  length: number
  /** Whether all of the appointment has room from there on */
  free: boolean
}

/** Minutes that a drop may be off */
const NEAR = 10

/** Return what may be aimed at, by practitioner and start; what is past may not. */
export function targetsOf(
  days: CalendarDay[],
  moved: BookedTime,
  zone: string,
  now: Instant,
): Target[] {
  const minutes = minutesBetween(moved.start, moved.end)
  const slots = days.flatMap((day) => day.slots).filter((slot) => slot.locationId === moved.locationId)
  const bySchedule = new Map<string, SlotTime[]>()
  for (const slot of slots) bySchedule.set(slot.scheduleId, [...(bySchedule.get(slot.scheduleId) ?? []), slot])
  const found = new Map<string, Target>()
  for (const slot of slots) {
    if (isBefore(slot.start, now)) continue
    const wall = wallOf(slot.start, zone)
    const target = {
      practitionerId: slot.practitionerId,
      day: dayOf(slot.start, zone),
      start: slot.start,
      wall,
      length: minutesBetween(slot.start, slot.end),
      free: hasRoom(slot, bySchedule.get(slot.scheduleId) ?? [], minutes, moved),
    }
    // Slots may lie upon each other: one that is free is as good as any.
    const key = `${target.practitionerId} ${wall}`
    if (!found.get(key)?.free) found.set(key, target)
  }
  return [...found.values()].sort((one, other) => (one.wall < other.wall ? -1 : one.wall > other.wall ? 1 : 0))
}

/** Whether consecutive slots with a seat, or with its own, last as long as it does. */
function hasRoom(first: SlotTime, slots: SlotTime[], minutes: number, moved: BookedTime): boolean {
  const end = addMinutes(first.start, minutes)
  const open = (slot: SlotTime) =>
    moved.slotIds.includes(slot.id) || (slot.remaining > 0 && slot.status === 'free')
  let slot: SlotTime | undefined = first
  while (slot && open(slot)) {
    if (!isBefore(slot.end, end)) return true
    const until: Instant = slot.end
    slot = slots.find((one) => one.start === until)
  }
  return false
}

/** The free start nearest to where it was dropped; as it was dropped, where none is near. */
export function snapped(targets: Target[], practitionerId: string, wall: Wall): Target | null {
  let best: Target | null = null
  let least = Infinity
  for (const target of targets) {
    if (!target.free || target.practitionerId !== practitionerId) continue
    const away = Math.abs(minutesOnWall(target.wall) - minutesOnWall(wall))
    // In the upper half of a long slot is as good as at its start.
    if (away <= Math.max(NEAR, target.length / 2) && away < least) [best, least] = [target, away]
  }
  return best
}

/** A column of the grid: a practitioner, in a week also a day */
export interface Column {
  practitionerId: string
  day: Day
}

const inColumn = (targets: Target[], column: Column): Target[] =>
  targets.filter((one) => one.practitionerId === column.practitionerId && one.day === column.day)

/** The next start up or down in its column; undefined at its ends. */
export function above(targets: Target[], from: Column & { wall: Wall }, step: 1 | -1, free: boolean): Target | undefined {
  const ahead = inColumn(targets, from).filter(
    (one) => (step > 0 ? one.wall > from.wall : one.wall < from.wall) && (one.free || !free),
  )
  return step > 0 ? ahead[0] : ahead.at(-1)
}

/** In the next column that has any, the start nearest in time of the day. */
export function beside(
  targets: Target[],
  columns: Column[],
  from: Column & { wall: Wall },
  step: 1 | -1,
): Target | undefined {
  let at = columns.findIndex((one) => one.practitionerId === from.practitionerId && one.day === from.day)
  if (at < 0) at = step > 0 ? -1 : columns.length
  for (at += step; columns[at]; at += step) {
    const near = nearest(inColumn(targets, columns[at]!), from.wall)
    if (near) return near
  }
  return undefined
}

/** Of another day the start nearest in time, with the same practitioner if there is one. */
export function onDay(targets: Target[], columns: Column[], from: Column & { wall: Wall }): Target | undefined {
  const own = targets.filter((one) => one.practitionerId === from.practitionerId)
  const shown = targets.filter((one) =>
    columns.some((column) => column.practitionerId === one.practitionerId && column.day === one.day),
  )
  const same = own.filter((one) => shown.includes(one))
  return nearest(same.length ? same : shown, from.wall)
}

function nearest(targets: Target[], wall: Wall): Target | undefined {
  const away = (one: Target) => Math.abs(timeOfDay(one.wall) - timeOfDay(wall))
  return [...targets].sort((one, other) => away(one) - away(other))[0]
}

const timeOfDay = (wall: Wall): number => Number(wall.slice(11, 13)) * 60 + Number(wall.slice(14, 16))

const minutesOnWall = (wall: Wall): number => Date.parse(`${wall}Z`) / 60_000
