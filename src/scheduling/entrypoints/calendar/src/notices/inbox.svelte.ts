/**
 * What a practitioner is told in the app: read anew when something happens to their
 * visits, and now and then, for what happens at other clinics is not on this line.
 */
import { answered, api } from '~/api/client'
import type { components } from '~/api/schema'
import { announcer } from '~/app/announcer.svelte'
import { desk } from '~/app/desk.svelte'
import { live } from '~/app/live.svelte'
import { refreshing } from '~/app/refresh'
import { session } from '~/signin/session.svelte'
import { say, words } from '~/words/words.svelte'

export type Notice = components['schemas']['NotificationView']

const POLL = 60_000
/** Notices are made behind the visit, by who follows its news: a moment after these. */
const BEHIND = [300, 1500, 5000]
/** The latest that the list shows, and the most that are counted */
const SHOWN = 30
export const COUNTED = 99

class Inbox {
  notices = $state.raw<Notice[]>([])
  /** Up to COUNTED, and one more where there are more */
  unread = $state(0)
  /** Of whom `notices` are; null before the first answer */
  of = $state<string | null>(null)
  /** One's own; at the desk those of the only practitioner that is shown */
  readonly whose = $derived(
    session.claims?.practitionerId ?? (desk.shown.length === 1 ? (desk.shown[0]?.id ?? null) : null),
  )
  private readonly again = refreshing(() => this.read())

  /** Keep it up to date; return how to stop. */
  follow(whose: string): () => void {
    this.again()
    const timers = new Set<ReturnType<typeof setTimeout>>()
    const deaf = live.listen((news) => {
      if (news === null) this.again()
      else if (news.type.startsWith('appointment.') && concerns(news.data, whose))
        for (const wait of BEHIND) {
          const timer = setTimeout(() => {
            timers.delete(timer)
            this.again()
          }, wait)
          timers.add(timer)
        }
    })
    const poll = setInterval(() => this.again(), POLL)
    return () => {
      deaf()
      clearInterval(poll)
      for (const timer of timers) clearTimeout(timer)
    }
  }

  async markRead(one: Notice): Promise<void> {
    if (!this.of || one.readAt || !session.may('scheduling:book')) return
    const path = { id: this.of, notificationId: one.id }
    await answered(api.POST('/v1/practitioners/{id}/notifications/{notificationId}/read', { params: { path } }))
    this.again()
  }

  async markAllRead(): Promise<void> {
    if (!this.of) return
    const path = { id: this.of }
    await answered(api.POST('/v1/practitioners/{id}/notifications/read-all', { params: { path } }))
    this.again()
  }

  private async read(): Promise<void> {
    const whose = this.whose
    if (!whose) {
      this.notices = []
      this.unread = 0
      this.of = null
      return
    }
    const ask = (query: { unread?: boolean; limit: number }) =>
      answered(
        api.GET('/v1/practitioners/{id}/notifications', {
          params: { path: { id: whose }, query: { ...query, language: words.language } },
        }),
      )
    try {
      const [latest, unread] = await Promise.all([
        ask({ limit: SHOWN }),
        ask({ unread: true, limit: COUNTED + 1 }),
      ])
      if (whose !== this.whose) return this.read()
      this.tell(whose, latest.items)
      this.notices = latest.items
      this.unread = unread.items.length
      this.of = whose
    } catch {
      // It is asked again soon, and nobody has asked for it now.
    }
  }

  /** Say what is new since the last look, not what lay there when one came. */
  private tell(whose: string, latest: Notice[]): void {
    if (this.of !== whose) return
    const known = new Set(this.notices.map((one) => one.id))
    const fresh = latest.filter((one) => !one.readAt && !known.has(one.id))
    const [newest] = fresh
    if (newest) announcer.whisper = say('notices.came', { count: fresh.length, title: newest.title })
  }
}

/** Whether a visit is theirs now, or was until it was given to somebody else. */
function concerns(data: Record<string, unknown>, practitionerId: string): boolean {
  const old = data.old as Record<string, unknown> | undefined
  return data.practitionerId === practitionerId || old?.practitionerId === practitionerId
}

export const inbox = new Inbox()
