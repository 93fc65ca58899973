/** The days that are shown, as the server has them: read once, and anew on every news. */
import { answered, api, type CalendarDay } from '~/api/client'
import { announcer } from '~/app/announcer.svelte'
import { desk } from '~/app/desk.svelte'
import { live } from '~/app/live.svelte'
import { refreshing } from '~/app/refresh'
import { addDays, type Day, instantOf } from '~/time/zoned'

class Days {
  days = $state.raw<CalendarDay[]>([])
  /** Of which clinic and period `days` are: what is shown meanwhile may be another's. */
  of = $state<string | null>(null)
  private wanted: { clinic: string; from: Day; count: number } | null = null
  private readonly again = refreshing(() => this.read())

  /** Show these days of the clinic, kept up to date; return how to stop. */
  show(clinic: string, from: Day, count: number): () => void {
    this.wanted = { clinic, from, count }
    this.again()
    const deaf = live.listen((news) => {
      if (news === null || !news.type.startsWith('notification')) this.again()
    })
    return () => {
      deaf()
    }
  }

  /** What somebody at this desk did is seen at once, before its news comes back. */
  refresh(): void {
    this.again()
  }

  private async read(): Promise<void> {
    const wanted = this.wanted
    if (!wanted) return
    const from = instantOf(`${wanted.from}T00:00:00`, desk.zone)
    const to = instantOf(`${addDays(wanted.from, wanted.count)}T00:00:00`, desk.zone)
    try {
      const found = await answered(
        api.GET('/v1/calendar', {
          params: { query: { locationId: [wanted.clinic], from, to, timezone: desk.zone } },
        }),
      )
      if (wanted !== this.wanted) return this.read()
      this.days = found.days
      this.of = `${wanted.clinic} ${wanted.from} ${wanted.count}`
    } catch (error) {
      announcer.refused(error)
    }
  }
}

export const days = new Days()
