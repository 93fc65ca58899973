/** Moving a booking, by pointer or by keys. */
import type { Calendar } from '@event-calendar/core'
import type { Practitioner } from '~/api/client'

/** What the grid shows, as far as moving needs it */
interface Entry {
  id: string
  kind: string
}

class Mover {
  async dropped(info: Calendar.EventDropInfo, _entry: Entry, _entries: readonly Entry[]): Promise<void> {
    info.revert()
  }

  onkeydown(_event: KeyboardEvent, _entries: ReadonlyMap<string, Entry>, _columns: readonly Practitioner[]): boolean {
    return false
  }
}

export const mover = new Mover()
