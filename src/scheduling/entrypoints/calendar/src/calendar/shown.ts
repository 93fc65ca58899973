/**
 * Keeps the calendar component in step with the entries. Given a whole new list it makes
 * every element anew, which loses the focus and costs time: so it is told what changed.
 */
import type { Calendar } from '@event-calendar/core'
import { type Drawn, isMovable } from '~/calendar/entries'
import { session } from '~/signin/session.svelte'

export class Shown {
  private calendar: Calendar | null = null
  private key = ''
  private looks = new Map<string, string>()

  /** Show these; where `key` differs from before, it is another day, and all are new. */
  be(calendar: Calendar, key: string, entries: Drawn[]): void {
    const looks = new Map(entries.map((entry) => [entry.id, JSON.stringify(entry)]))
    if (key !== this.key || calendar !== this.calendar) {
      calendar.setOption('events', entries.map(drawn))
    } else {
      for (const id of this.looks.keys()) if (!looks.has(id)) calendar.removeEventById(id)
      for (const entry of entries) {
        const before = this.looks.get(entry.id)
        if (before === undefined) calendar.addEvent(drawn(entry))
        else if (before !== looks.get(entry.id)) calendar.updateEvent(drawn(entry))
      }
    }
    this.calendar = calendar
    this.key = key
    this.looks = looks
  }
}

function drawn(entry: Drawn): Calendar.EventInput {
  return {
    id: entry.id,
    resourceIds: [entry.practitionerId],
    start: entry.start,
    end: entry.end,
    startEditable:
      entry.kind === 'appointment' && isMovable(entry.appointment) && session.may('scheduling:book'),
    extendedProps: { entry },
  }
}
