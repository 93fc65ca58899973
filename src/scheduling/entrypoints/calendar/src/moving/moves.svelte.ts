/** The command that every move ends in, whichever way it was aimed, and its way back. */
import { SvelteSet } from 'svelte/reactivity'
import { answered, api, type Appointment, type BookedTime, ifMatch } from '~/api/client'
import { announcer } from '~/app/announcer.svelte'
import { desk } from '~/app/desk.svelte'
import { days } from '~/calendar/days.svelte'
import { type Instant, minutesBetween } from '~/time/zoned'
import { say, words } from '~/words/words.svelte'

class Moves {
  /** Visits whose move is with the server */
  readonly underWay = new SvelteSet<string>()

  /** Return whether the server has moved it. */
  async send(moved: BookedTime, practitionerId: string, start: Instant): Promise<boolean> {
    const after = await this.reschedule(moved.id, moved.version, { practitionerId, start })
    if (!after) return false
    const practitioner = desk.nameOf(practitionerId)
    const run = () => void this.undo(moved, after)
    announcer.done(
      say('moving.done', { patient: moved.patientName, when: whenOf(after.start), practitioner }),
      { label: say('moving.undo'), run },
    )
    return true
  }

  private async undo(moved: BookedTime, after: Appointment): Promise<void> {
    const { practitionerId, locationId, start } = moved
    const durationMinutes = minutesBetween(start, moved.end)
    const place = { practitionerId, locationId, start, durationMinutes }
    if (!(await this.reschedule(moved.id, after.version, place))) return
    const practitioner = desk.nameOf(practitionerId)
    announcer.done(say('moving.undone', { patient: moved.patientName, when: whenOf(start), practitioner }))
  }

  private async reschedule(
    id: string,
    version: number,
    body: { practitionerId: string; start: Instant; locationId?: string; durationMinutes?: number },
  ): Promise<Appointment | null> {
    this.underWay.add(id)
    try {
      const params = { path: { id }, header: ifMatch(version) }
      return await answered(api.POST('/v1/appointments/{id}/reschedule', { params, body }))
    } catch (error) {
      announcer.refused(error)
      return null
    } finally {
      this.underWay.delete(id)
      // Also where it was refused: what is shown here was not how things are.
      days.refresh()
    }
  }
}

export const isThere = (moved: BookedTime, practitionerId: string, start: Instant): boolean =>
  moved.practitionerId === practitionerId && minutesBetween(moved.start, start) === 0

export const whenOf = (start: Instant): string =>
  `${words.date(start, desk.zone)}, ${words.time(start, desk.zone)}`

export const moves = new Moves()
