/** What goes on paper: for each day and practitioner, who comes. Pure. */
import type { BookedTime, CalendarDay } from '~/api/client'
import { isBefore, type Day, type Instant } from '~/time/zoned'

export interface DaySheet {
  date: Day
  practitionerId: string
  name: string
  appointments: BookedTime[]
}

const OFF = new Set(['cancelled', 'entered-in-error', 'proposed'])

/** By day, then by the practitioner's name; what was called off and holds that ran out are left out. */
export function sheetsOf(days: readonly CalendarDay[], now: Instant): DaySheet[] {
  return days.flatMap((day) => {
    const sheets = new Map<string, DaySheet>()
    const coming = day.appointments.filter(
      (one) => !OFF.has(one.status) && !(one.holdExpiresAt !== null && !isBefore(now, one.holdExpiresAt)),
    )
    for (const one of coming) {
      const { practitionerId } = one
      const sheet = sheets.get(practitionerId)
      if (sheet) sheet.appointments.push(one)
      else
        sheets.set(practitionerId, {
          date: day.date,
          practitionerId,
          name: one.practitionerName,
          appointments: [one],
        })
    }
    return [...sheets.values()].sort((one, other) => one.name.localeCompare(other.name))
  })
}
