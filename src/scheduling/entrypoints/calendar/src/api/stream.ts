/**
 * `/v1/events/stream`: what happens, while it happens. The connection comes back by itself
 * and goes on after the last event that was seen (`Last-Event-ID`).
 */
import { EventSource, type EventSourceFetchInit } from 'eventsource'
import { session } from '~/signin/session.svelte'

/** A CloudEvent, with what the page reads of it */
export interface News {
  id: string
  type: string
  subject: string
  time: string
  data: Record<string, unknown>
}

export interface Followers {
  news: (one: News) => void
  /** Not all that was missed is still there, or the line was down: look anew. */
  gap: () => void
  /** Whether the line stands */
  live: (is: boolean) => void
}

/** What changes a calendar, a waitlist or the bell. EventSource listens by type. */
const TYPES = [
  'appointment.proposed',
  'appointment.created',
  'appointment.updated',
  'appointment.confirmed',
  'appointment.arrived',
  'appointment.in-progress',
  'appointment.completed',
  'appointment.no-show',
  'appointment.entered-in-error',
  'appointment.cancelled',
  'hold.expired',
  'schedule.published',
  'schedule.changed',
  'slot.opened',
  'slot.blocked',
  'slots.generation.completed',
  'waitlist.slot-available',
  'waitlist.offered',
  'waitlist.fulfilled',
  'notification.requested',
  'practitioner-role.changed',
]

/** Milliseconds after which is asked again where the server, or a proxy before it, refused */
const REFUSED = 3000

/** Follow what happens at a clinic; return how to stop. */
export function follow(clinicId: string, followers: Followers): () => void {
  let last = ''
  let timer: ReturnType<typeof setTimeout> | undefined

  async function connect(url: string | URL, init: EventSourceFetchInit): Promise<Response> {
    const token = await session.token()
    const seen = last ? { 'Last-Event-ID': last } : {}
    const answer = await fetch(url, {
      ...init,
      headers: { ...init.headers, ...seen, Authorization: `Bearer ${token}` },
    })
    if (answer.status === 401) session.expired(token)
    return answer
  }

  function open(): EventSource {
    const opened = new EventSource(`${location.origin}/v1/events/stream?locationId=${clinicId}`, {
      fetch: connect,
    })
    opened.addEventListener('open', () => {
      // Also the first time: what is shown was read before anybody listened.
      followers.gap()
      followers.live(true)
    })
    opened.addEventListener('error', () => {
      followers.live(false)
      // A broken line comes back by itself, one that was refused does not.
      if (opened.readyState === EventSource.CLOSED) timer = setTimeout(() => (source = open()), REFUSED)
    })
    opened.addEventListener('reset', () => followers.gap())
    for (const type of TYPES)
      opened.addEventListener(type, (event) => {
        last = event.lastEventId || last
        followers.news(JSON.parse(event.data as string) as News)
      })
    return opened
  }

  let source = open()
  return () => {
    clearTimeout(timer)
    source.close()
  }
}
