/**
 * The desk that one sits at: a clinic, its practitioners and its time. Read once, and
 * anew when the directory changes; every view asks here, none loads the directory itself.
 */
import { allOf, answered, api, type Clinic, type Practitioner } from '~/api/client'
import { announcer } from '~/app/announcer.svelte'
import { refreshing } from '~/app/refresh'
import { route } from '~/app/route.svelte'
import { type Day, now, today, viewerZone, weekOf } from '~/time/zoned'

const TICK = 15_000
/** Milliseconds between two looks at the clock. */

class Desk {
  clinics = $state.raw<Clinic[]>([])
  /** Of the clinic, by name */
  practitioners = $state.raw<Practitioner[]>([])
  ready = $state(false)
  /** It could not be read, and nothing is shown yet. */
  failed = $state(false)
  /** The present instant, moved on now and then: what is over, is over without a reload. */
  now = $state(now())

  readonly clinic = $derived(
    this.clinics.find((one) => one.id === route.clinic) ?? this.clinics[0] ?? null,
  )
  readonly zone = $derived(this.clinic?.timezone ?? viewerZone)
  /** The clinic's own day, which need not be the viewer's */
  readonly today: Day = $derived.by(() => (this.now, today(this.zone)))
  readonly date: Day = $derived(route.date ?? this.today)
  readonly week: Day = $derived(weekOf(this.date))
  /** Whose columns are shown. A week of many is too narrow to read: of the first, unless
   *  some are chosen. */
  readonly shown = $derived.by(() => {
    const chosen = this.practitioners.filter((one) => route.practitioners.includes(one.id))
    if (chosen.length) return chosen
    return route.view === 'week' ? this.practitioners.slice(0, 1) : this.practitioners
  })

  private clock: ReturnType<typeof setInterval> | undefined

  async open(): Promise<void> {
    this.failed = false
    this.clock ??= setInterval(() => (this.now = now()), TICK)
    try {
      this.clinics = await allOf((cursor) =>
        answered(
          api.GET('/v1/locations', {
            params: { query: { active: true, limit: 200, ...(cursor ? { cursor } : {}) } },
          }),
        ),
      )
      if (!this.clinic) this.ready = true
    } catch (error) {
      this.refused(error)
    }
  }

  /** To be called when it is another clinic, or when who works there may have changed. */
  readonly readPractitioners = refreshing(async () => {
    const clinic = this.clinic
    if (!clinic) return
    try {
      const found = await allOf((cursor) =>
        answered(
          api.GET('/v1/practitioners', {
            params: {
              query: { locationId: clinic.id, active: true, limit: 200, ...(cursor ? { cursor } : {}) },
            },
          }),
        ),
      )
      if (this.clinic !== clinic) return
      this.practitioners = found
      this.ready = true
    } catch (error) {
      this.refused(error)
    }
  })

  private refused(error: unknown): void {
    this.failed = !this.ready
    announcer.refused(error)
  }

  /** A practitioner's name; of one who works elsewhere by now, the id. */
  nameOf(practitionerId: string): string {
    return this.practitioners.find((one) => one.id === practitionerId)?.name ?? practitionerId
  }
}

export const desk = new Desk()
