/**
 * Keeps the calendar component in step with the entries. Given a whole new list it makes
 * every element anew, which loses the focus and costs time: so it is told what changed.
 *
 * What it is given has ids of our own, which go on to another entry when one is gone: to
 * take something out of its list costs it as much as the list is long.
 */
import type { Calendar } from '@event-calendar/core'
import { type Drawn, isMovable } from '~/calendar/entries'
import { session } from '~/signin/session.svelte'

interface Place {
  id: string
  look: string
}

export class Shown {
  private calendar: Calendar | null = null
  private key = ''
  /** By the entry's id */
  private places = new Map<string, Place>()
  /** Ids of which nothing is drawn now */
  private spare: string[] = []
  private made = 0

  /** Show these; where `key` differs from before, it is another day, and all are new. */
  be(calendar: Calendar, key: string, entries: readonly Drawn[]): void {
    if (key !== this.key || calendar !== this.calendar) {
      this.calendar = calendar
      this.key = key
      this.spare = []
      this.made = 0
      this.places = new Map(entries.map((entry) => [entry.id, this.place(entry)]))
      calendar.setOption('events', entries.map((entry) => drawn(entry, this.places.get(entry.id)!.id)))
      return
    }
    const wanted = new Set(entries.map((entry) => entry.id))
    const gone = new Set<string>()
    for (const [id, place] of this.places)
      if (!wanted.has(id)) {
        this.places.delete(id)
        this.spare.push(place.id)
        gone.add(place.id)
      }
    for (const entry of entries) {
      const place = this.places.get(entry.id)
      if (place && place.look === lookOf(entry)) continue
      if (place) {
        place.look = lookOf(entry)
        calendar.updateEvent(drawn(entry, place.id))
        continue
      }
      const known = this.spare.length
      const found = this.place(entry)
      this.places.set(entry.id, found)
      gone.delete(found.id)
      if (known) calendar.updateEvent(drawn(entry, found.id))
      else calendar.addEvent(drawn(entry, found.id))
    }
    for (const id of gone) calendar.updateEvent({ ...NOWHERE, id })
  }

  private place(entry: Drawn): Place {
    return { id: this.spare.pop() ?? String((this.made += 1)), look: lookOf(entry) }
  }
}

/** Of nobody's column, and so never drawn */
const NOWHERE = { resourceIds: [], start: '2000-01-01T00:00:00', end: '2000-01-01T00:01:00' }

const looks = new WeakMap<Drawn, string>()

function lookOf(entry: Drawn): string {
  let look = looks.get(entry)
  if (look === undefined) looks.set(entry, (look = JSON.stringify(entry)))
  return look
}

function drawn(entry: Drawn, id: string): Calendar.EventInput {
  return {
    id,
    resourceIds: [entry.practitionerId],
    start: entry.start,
    end: entry.end,
    startEditable:
      entry.kind === 'appointment' && isMovable(entry.appointment) && session.may('scheduling:book'),
    extendedProps: { entry },
  }
}
