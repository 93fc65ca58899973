/**
 * Instants and the clinic's wall. The API speaks in instants (RFC 3339); the grid, which
 * knows no zones, is given what the clinic's wall clock shows: `2026-11-20T09:00:00`.
 */
import { Temporal } from 'temporal-polyfill'

export type Instant = string
/** A local date and time without a zone, as ISO 8601 writes it */
export type Wall = string
/** A local date: `2026-11-20` */
export type Day = string

export const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone

const zoned = (instant: Instant, zone: string) =>
  Temporal.Instant.from(instant).toZonedDateTimeISO(zone)

export const wallOf = (instant: Instant, zone: string): Wall =>
  zoned(instant, zone).toPlainDateTime().toString({ smallestUnit: 'second' })

export const dayOf = (instant: Instant, zone: string): Day =>
  zoned(instant, zone).toPlainDate().toString()

/** The instant at which the wall shows that; in a gap the first after it, as rules do. */
export const instantOf = (wall: Wall, zone: string): Instant =>
  Temporal.PlainDateTime.from(wall)
    .toZonedDateTime(zone, { disambiguation: 'compatible' })
    .toInstant()
    .toString()

export const now = (): Instant => Temporal.Now.instant().toString({ smallestUnit: 'second' })

export const today = (zone: string): Day => Temporal.Now.plainDateISO(zone).toString()

export const addDays = (day: Day, days: number): Day =>
  Temporal.PlainDate.from(day).add({ days }).toString()

/** The Monday of the day's week */
export const weekOf = (day: Day): Day => {
  const date = Temporal.PlainDate.from(day)
  return date.subtract({ days: date.dayOfWeek - 1 }).toString()
}

export const isDay = (text: string): boolean => {
  try {
    return Temporal.PlainDate.from(text).toString() === text
  } catch {
    return false
  }
}

export const minutesBetween = (from: Instant, to: Instant): number =>
  Math.round(Temporal.Instant.from(from).until(Temporal.Instant.from(to)).total('minutes'))

export const addMinutes = (instant: Instant, minutes: number): Instant =>
  Temporal.Instant.from(instant).add({ minutes }).toString()

/** The same on the wall, where no clock is changed in between */
export const minutesLater = (wall: Wall, minutes: number): Wall =>
  Temporal.PlainDateTime.from(wall).add({ minutes }).toString({ smallestUnit: 'second' })

/** How far the wall is from UTC at that instant: `+05:30` */
export const offsetOf = (zone: string, at: Instant): string => zoned(at, zone).offset

export const isBefore = (one: Instant, other: Instant): boolean =>
  Temporal.Instant.compare(one, other) < 0

/** Whether both zones show the same time on the wall at that instant. */
export const agree = (one: string, other: string, at: Instant): boolean =>
  zoned(at, one).offsetNanoseconds === zoned(at, other).offsetNanoseconds
