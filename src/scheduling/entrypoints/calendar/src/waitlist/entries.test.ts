import { expect, it } from 'vitest'
import { type Entry, minutesLeft, type Offer, priorityName, ranked, typeFor, wantsClinic, wishedTimes, within } from '~/waitlist/entries'

const entry = (told: Partial<Entry> = {}): Entry => ({
  id: 'e',
  patientId: 'p',
  patientName: 'Maria Silva',
  practitionerIds: [],
  locationIds: [],
  serviceType: null,
  earliest: '2026-11-20T00:00:00Z',
  latest: '2026-11-27T00:00:00Z',
  priority: 0,
  status: 'waiting',
  appointmentId: null,
  offer: null,
  createdAt: '2026-11-19T10:00:00Z',
  updatedAt: '2026-11-19T10:00:00Z',
  version: 1,
  ...told,
})

it('asks for those of priority first, then who has waited longest', () => {
  const all = [
    entry({ id: 'late', createdAt: '2026-11-19T12:00:00.5Z' }),
    entry({ id: 'urgent', priority: 100, createdAt: '2026-11-20T10:00:00Z' }),
    entry({ id: 'early' }),
  ]
  expect(ranked(all).map((one) => one.id)).toEqual(['urgent', 'early', 'late'])
})

it('looks at the clinic at hand where it would do, else where it would', () => {
  const now = '2026-11-21T08:00:00Z'
  expect(wantsClinic(entry(), 'here')).toBe(true)
  expect(wishedTimes(entry(), 'here', now)).toMatchObject({ locationId: ['here'], from: now })
  const elsewhere = entry({ locationIds: ['there'], earliest: '2026-11-22T00:00:00Z' })
  expect(wishedTimes(elsewhere, 'here', now)).toMatchObject({
    locationId: ['there'],
    from: '2026-11-22T00:00:00Z',
  })
})

it('takes no time that ends after what is wished', () => {
  const time = (start: string, end: string) => ({ start, end }) as Parameters<typeof within>[0][number]
  const last = time('2026-11-26T23:30:00Z', '2026-11-27T00:00:00Z')
  const over = time('2026-11-26T23:45:00Z', '2026-11-27T00:15:00Z')
  expect(within([last, over], entry())).toEqual([last])
})

it('counts an offer down to nothing, and never to less', () => {
  const offer = { expiresAt: '2026-11-20T10:00:00Z' } as Offer
  expect(minutesLeft(offer, '2026-11-20T09:50:00Z')).toBe(10)
  expect(minutesLeft(offer, '2026-11-20T09:59:50Z')).toBe(1)
  expect(minutesLeft(offer, '2026-11-20T10:00:00Z')).toBe(0)
})

it('names the steps of priority, and leaves other numbers as they are', () => {
  expect([100, 10, 0, -10].map(priorityName)).toEqual(['urgent', 'high', 'normal', 'low'])
  expect(priorityName(7)).toBeNull()
})

it('calls a booking by the wish, else by what the time is for', () => {
  expect(typeFor(entry({ serviceType: 'vaccination' }), ['consultation'])).toBe('vaccination')
  expect(typeFor(entry(), ['consultation'])).toBe('consultation')
  expect(typeFor(entry())).toBe('')
})
