/**
 * Closed, replaced and extra hours: what was typed, as the API takes it; and what it
 * would do, from what the API says of the hours before and after.
 */
import type { components } from '~/api/schema'
import { addDays, dayOf, instantOf, type Day, isBefore, type Instant } from '~/time/zoned'

type Schemas = components['schemas']
export type Calendar = Schemas['ScheduleView']
export type Exception = Schemas['ScheduleExceptionView']
export type Effect = Schemas['ExceptionEffectView']
export type Affected = Schemas['AffectedAppointmentView']
export type Body = Schemas['ExceptionBody']
export type Kind = Schemas['ExceptionKind']

/** Hours as they are typed; services apart by commas */
export interface Typed {
  start: string
  end: string
  minutes: number | null
  capacity: number | null
  services: string
}

export interface Draft {
  kind: Kind
  day: Day
  /** The last closed day; the same as `day` for one */
  until: Day
  /** Closed for all of the day, or from `from` to `to` */
  whole: boolean
  from: string
  to: string
  /** Closed for these only; none: for all */
  services: string[]
  windows: Typed[]
  reason: string
}

/** A word of the catalogue that says what is not right yet, or null. */
export type Wrong = 'hours.wrong-day' | 'hours.wrong-until' | 'hours.wrong-times' | 'hours.wrong-window' | 'hours.wrong-none'

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

/** Until the next day, where the end is not after the start */
const lengthOf = (one: Typed) => {
  const length = minutesOf(one.end) - minutesOf(one.start)
  return length > 0 ? length : length + 24 * 60
}

const fits = (one: Typed) =>
  Boolean(one.start && one.end) &&
  one.minutes !== null &&
  one.minutes >= 5 &&
  one.minutes <= lengthOf(one) &&
  one.capacity !== null &&
  one.capacity >= 1

export function wrongOf(draft: Draft): Wrong | null {
  if (!draft.day) return 'hours.wrong-day'
  if (draft.kind !== 'closed') {
    if (draft.kind === 'extra' && !draft.windows.length) return 'hours.wrong-none'
    return draft.windows.every(fits) ? null : 'hours.wrong-window'
  }
  if (draft.whole) return draft.until && draft.until >= draft.day ? null : 'hours.wrong-until'
  return draft.from && draft.to && draft.from < draft.to ? null : 'hours.wrong-times'
}

/** What is asked of the API for a draft that is right; `zone` is the schedule's. */
export function bodyOf(draft: Draft, zone: string): Body {
  const reason = draft.reason.trim() || null
  const body = { kind: draft.kind, reason, windows: [], serviceTypes: [] }
  if (draft.kind !== 'closed')
    return { ...body, date: draft.day, windows: draft.windows.map(hoursOf) }
  const closed = { ...body, serviceTypes: draft.services }
  if (draft.whole && draft.until === draft.day) return { ...closed, date: draft.day }
  const [start, end] = draft.whole
    ? [`${draft.day}T00:00:00`, `${addDays(draft.until, 1)}T00:00:00`]
    : [`${draft.day}T${draft.from}:00`, `${draft.day}T${draft.to}:00`]
  return { ...closed, start: instantOf(start, zone), end: instantOf(end, zone) }
}

const hoursOf = (one: Typed): Schemas['HoursBody'] => ({
  startTime: one.start,
  endTime: one.end === '00:00' ? '24:00' : one.end,
  slotMinutes: one.minutes ?? 0,
  capacity: one.capacity ?? 1,
  serviceTypes: one.services.split(',').map((name) => name.trim()).filter(Boolean),
})

/** The hours of the weekly rules on a day, to begin with; a morning where there are none. */
export function usualOn(day: Day, calendar: Calendar): Typed[] {
  const weekday = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'][
    (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7
  ]
  const typed = calendar.availability
    .filter(
      (rule) =>
        rule.daysOfWeek.some((one) => one === weekday) &&
        (rule.validFrom ?? day) <= day &&
        day <= (rule.validTo ?? day),
    )
    .map((rule) => ({
      start: rule.startTime,
      end: rule.endTime === '24:00' ? '00:00' : rule.endTime,
      minutes: rule.slotMinutes,
      capacity: rule.capacity,
      services: rule.serviceTypes.join(', '),
    }))
  return typed.length
    ? typed
    : [{ start: '09:00', end: '12:00', minutes: 30, capacity: 1, services: '' }]
}

/** The exception as one that a preview tries: it was said before. */
export const asSaid = (one: Exception): Body => ({
  kind: one.kind,
  windows: one.windows,
  serviceTypes: one.serviceTypes,
  ...(one.date ? { date: one.date } : { start: one.start, end: one.end }),
})

export const lastDayOf = (draft: Draft): Day =>
  draft.kind === 'closed' && draft.whole && draft.until > draft.day ? draft.until : draft.day

interface Stretch {
  start: Instant
  end: Instant
}

/** Times that follow each other without a gap, as one; the given are by start. */
export function joined(times: readonly Stretch[]): Stretch[] {
  const whole: Stretch[] = []
  for (const { start, end } of times) {
    const last = whole.at(-1)
    if (last && !isBefore(last.end, start)) {
      if (isBefore(last.end, end)) last.end = end
    } else whole.push({ start, end })
  }
  return whole
}

const covers = (hours: readonly Stretch[], one: Stretch) =>
  hours.some((it) => !isBefore(one.start, it.start) && !isBefore(it.end, one.end))

/** Those that are within the hours before, and not within the hours after. */
export const losing = <T extends Stretch>(booked: readonly T[], before: readonly Stretch[], after: readonly Stretch[]): T[] =>
  booked.filter((one) => covers(joined(before), one) && !covers(joined(after), one))

/** Exceptions near a day: what is over for a week or more is of no use at the desk. */
export const near = (all: readonly Exception[], day: Day, zone: string): Exception[] =>
  all.filter(
    (one) => dayOf(one.end, zone) >= addDays(day, -7) && dayOf(one.start, zone) <= addDays(day, 92),
  )
