/** The waitlist as the server has it: read anew on news, and now and then without. */
import { allOf, answered, api } from '~/api/client'
import { announcer } from '~/app/announcer.svelte'
import { live } from '~/app/live.svelte'
import { refreshing } from '~/app/refresh'
import type { Entry, EntryStatus } from '~/waitlist/entries'

/** A wish that another desk takes down is no event, and news of other clinics are not sent. */
const POLL = 60_000

class Waiting {
  entries = $state.raw<Entry[]>([])
  status = $state<EntryStatus>('waiting')
  /** Of which status `entries` are; null before the first answer */
  of = $state<EntryStatus | null>(null)
  private readonly again = refreshing(() => this.read())

  /** Keep the list up to date; return how to stop. */
  show(): () => void {
    this.again()
    const deaf = live.listen((news) => {
      if (news === null || /^(appointment|waitlist|hold)\./.test(news.type)) this.again()
    })
    const timer = setInterval(() => this.again(), POLL)
    return () => {
      deaf()
      clearInterval(timer)
    }
  }

  choose(status: EntryStatus): void {
    this.status = status
    this.again()
  }

  refresh(): void {
    this.again()
  }

  private async read(): Promise<void> {
    const status = this.status
    try {
      const found = await pages(status)
      if (status !== this.status) return this.read()
      this.entries = found
      this.of = status
    } catch (error) {
      announcer.refused(error)
    }
  }
}

const pages = (status: EntryStatus): Promise<Entry[]> =>
  allOf((cursor) =>
    answered(api.GET('/v1/waitlist', { params: { query: { status, limit: 200, ...(cursor ? { cursor } : {}) } } })),
  )

export const waiting = new Waiting()
