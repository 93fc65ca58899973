/**
 * Visits that keep their time, though the hours are gone: somebody has to call these
 * patients. They are kept while the page is open, for the list is left for each visit
 * that is looked at.
 */
import { SvelteMap } from 'svelte/reactivity'
import type { Affected, Effect } from '~/hours/exceptions'

class ToCall {
  /** By the schedule's id */
  private readonly lists = new SvelteMap<string, readonly Affected[]>()

  of(scheduleId: string): readonly Affected[] {
    return this.lists.get(scheduleId) ?? []
  }

  /** Note whom an exception left without hours; one that was removed leaves nobody. */
  note(effect: Effect): void {
    const known = new Map(this.of(effect.scheduleId).map((one) => [one.id, one]))
    for (const one of effect.affectedAppointments) known.set(one.id, one)
    this.lists.set(effect.scheduleId, [...known.values()])
  }

  forget(scheduleId: string): void {
    this.lists.delete(scheduleId)
  }
}

export const toCall = new ToCall()
