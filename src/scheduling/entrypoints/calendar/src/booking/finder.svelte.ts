/** The next free times with anybody, anywhere: asked for anew when a filter changes. */
import { allOf, answered, api, type FreeTime, type Practitioner } from '~/api/client'
import { Refusal } from '~/api/refusal'
import { type Instant, isBefore } from '~/time/zoned'

export interface Filters {
  /** Empty: all clinics */
  clinic: string
  /** Empty: anybody */
  practitioner: string
  /** Empty: whatever for */
  service: string
  from: Instant
  patientId: string | null
}

const MANY = 10
const MOST = 20
/** As many as one question may ask for */

export class Finder {
  practitioners = $state.raw<Practitioner[]>([])
  found = $state.raw<FreeTime[]>([])
  /** What people come for, as far as it was seen */
  services = $state.raw<readonly string[]>([])
  loading = $state(false)
  /** There are no later ones. */
  ended = $state(false)
  failed = $state.raw<Refusal | null>(null)
  private asked = 0
  private of: string | null = null

  /** Those of a clinic, or of all. */
  async loadPractitioners(clinic: string): Promise<void> {
    this.of = clinic
    try {
      const found = await allOf((cursor) =>
        answered(
          api.GET('/v1/practitioners', {
            params: {
              query: {
                active: true,
                limit: 200,
                ...(clinic ? { locationId: clinic } : {}),
                ...(cursor ? { cursor } : {}),
              },
            },
          }),
        ),
      )
      if (clinic === this.of) this.practitioners = found
    } catch (error) {
      if (clinic === this.of) this.failed = Refusal.of(error)
    }
  }

  async look(filters: Filters): Promise<void> {
    const number = (this.asked += 1)
    await this.asking(number, async () => {
      const items = await next(filters, filters.from, MANY)
      if (number !== this.asked) return
      this.found = items
      this.ended = items.length < MANY
    })
  }

  async later(filters: Filters): Promise<void> {
    const last = this.found.at(-1)
    if (!last) return
    const number = (this.asked += 1)
    await this.asking(number, async () => {
      // Several begin together: the last start is asked for again, and known ones left out.
      const known = new Set(this.found.map((one) => one.slotId))
      const items = await next(filters, last.start, MOST)
      if (number !== this.asked) return
      const fresh = items.filter((one) => !known.has(one.slotId))
      this.found = [...this.found, ...fresh]
      this.ended = items.length < MOST || !fresh.some((one) => isBefore(last.start, one.start))
    })
  }

  private async asking(number: number, work: () => Promise<void>): Promise<void> {
    this.loading = true
    try {
      await work()
      if (number !== this.asked) return
      this.failed = null
      const seen = this.found.flatMap((one) => one.serviceTypes)
      this.services = [...new Set([...this.services, ...seen])].sort()
    } catch (error) {
      if (number === this.asked) this.failed = Refusal.of(error)
    } finally {
      if (number === this.asked) this.loading = false
    }
  }
}

async function next(filters: Filters, from: Instant, limit: number): Promise<FreeTime[]> {
  const { clinic, practitioner, service, patientId } = filters
  const { items } = await answered(
    api.GET('/v1/availability/next', {
      params: {
        query: {
          from,
          limit,
          ...(clinic ? { locationId: [clinic] } : {}),
          ...(practitioner ? { practitionerId: [practitioner] } : {}),
          ...(service ? { serviceType: service } : {}),
          ...(patientId ? { patientId } : {}),
        },
      },
    }),
  )
  return items
}
