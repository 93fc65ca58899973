/**
 * `/v1/events/stream`: what happens, while it happens. The connection comes back by itself
 * and goes on after the last event that was seen (`Last-Event-ID`).
 */
import { EventSource } from 'eventsource'
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

/** Follow what happens at a clinic; return how to stop. */
export function follow(clinicId: string, followers: Followers): () => void {
  const source = new EventSource(`${location.origin}/v1/events/stream?locationId=${clinicId}`, {
    fetch: async (url, init) =>
      fetch(url, {
        ...init,
        headers: { ...init.headers, Authorization: `Bearer ${await session.token()}` },
      }),
  })
  let wasOpen = false
  source.addEventListener('open', () => {
    // What was missed is sent after; where it was a first try, nothing was missed.
    if (wasOpen) followers.gap()
    wasOpen = true
    followers.live(true)
  })
  source.addEventListener('error', (event) => {
    followers.live(false)
    if (event.code === 401) session.expired()
  })
  source.addEventListener('reset', () => followers.gap())
  for (const type of TYPES)
    source.addEventListener(type, (event) => followers.news(JSON.parse(event.data as string) as News))
  return () => source.close()
}
