/** The figures of a period, read when what is asked for changes. */
import { allOf, answered, api, type Practitioner } from '~/api/client'
import type { components } from '~/api/schema'
import { announcer } from '~/app/announcer.svelte'
import type { Days } from '~/statistics/period'

export type Statistics = components['schemas']['StatisticsView']

export interface Asked extends Days {
  locationId: string | null
  practitionerId: string | null
  timezone: string
}

class Figures {
  found = $state.raw<Statistics | null>(null)
  failed = $state(false)
  busy = $state(false)
  /** Of all clinics, also who works nowhere any more: figures name them. */
  private names = $state.raw<ReadonlyMap<string, string>>(new Map())
  private asked: Asked | null = null

  async ask(asked: Asked): Promise<void> {
    this.asked = asked
    this.busy = true
    this.failed = false
    const { from, to, timezone, locationId, practitionerId } = asked
    try {
      const [found] = await Promise.all([
        answered(
          api.GET('/v1/statistics', {
            params: {
              query: {
                from,
                to,
                timezone,
                ...(locationId ? { locationId: [locationId] } : {}),
                ...(practitionerId ? { practitionerId: [practitionerId] } : {}),
              },
            },
          }),
        ),
        this.names.size ? null : this.readNames(),
      ])
      if (asked === this.asked) this.found = found
    } catch (error) {
      if (asked !== this.asked) return
      this.failed = true
      announcer.refused(error)
    } finally {
      if (asked === this.asked) this.busy = false
    }
  }

  nameOf(practitionerId: string): string {
    return this.names.get(practitionerId) ?? practitionerId
  }

  get everybody(): [string, string][] {
    return [...this.names].sort(([, one], [, other]) => one.localeCompare(other))
  }

  private async readNames(): Promise<void> {
    const all = await allOf<Practitioner>((cursor) =>
      answered(
        api.GET('/v1/practitioners', {
          params: { query: { limit: 200, ...(cursor ? { cursor } : {}) } },
        }),
      ),
    )
    this.names = new Map(all.map((one) => [one.id, one.name]))
  }
}

export const figures = new Figures()
