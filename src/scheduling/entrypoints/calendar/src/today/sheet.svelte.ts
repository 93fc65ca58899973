/** One day of one clinic, with what was called off: read once, and anew on every news. */
import { answered, api, type BookedTime, type CalendarDay, type SlotTime } from '~/api/client'
import { announcer } from '~/app/announcer.svelte'
import { desk } from '~/app/desk.svelte'
import { live } from '~/app/live.svelte'
import { refreshing } from '~/app/refresh'
import { addDays, type Day, instantOf } from '~/time/zoned'

class Sheet {
  days = $state.raw<CalendarDay[]>([])
  /** Of which clinic and day `days` are: what is shown meanwhile may be another's. */
  of = $state<string | null>(null)
  failed = $state(false)
  private wanted: { clinic: string; day: Day; zone: string } | null = null
  private readonly again = refreshing(() => this.read())

  readonly appointments: BookedTime[] = $derived(this.days.flatMap((day) => day.appointments))
  readonly slots: SlotTime[] = $derived(this.days.flatMap((day) => day.slots))

  /** Show this day, kept up to date; return how to stop. */
  show(clinic: string, day: Day, zone: string): () => void {
    this.wanted = { clinic, day, zone }
    this.again()
    return live.listen((news) => {
      if (news === null || !news.type.startsWith('notification')) this.again()
    })
  }

  refresh(): void {
    this.again()
  }

  private async read(): Promise<void> {
    const wanted = this.wanted
    if (!wanted) return
    const { clinic, day, zone } = wanted
    try {
      const found = await answered(
        api.GET('/v1/calendar', {
          params: {
            query: {
              locationId: [clinic],
              from: instantOf(`${day}T00:00:00`, zone),
              to: instantOf(`${addDays(day, 1)}T00:00:00`, zone),
              timezone: desk.zone,
              includeCancelled: true,
            },
          },
        }),
      )
      if (wanted !== this.wanted) return this.read()
      this.days = found.days
      this.of = `${clinic} ${day}`
      this.failed = false
    } catch (error) {
      if (wanted !== this.wanted) return this.read()
      this.failed = true
      announcer.refused(error)
    }
  }
}

export const sheet = new Sheet()
