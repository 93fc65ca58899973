import { describe, expect, it } from 'vitest'
import type { BookedTime } from '~/api/client'
import { entriesOf, heightFor, hoursOf, isShort, lengthOf } from '~/calendar/entries'

const booked = (start: string, end: string): BookedTime => ({
  id: start,
  patientId: 'p',
  patientName: 'Maria Silva',
  practitionerId: 'd',
  practitionerName: 'Dr. Souza',
  locationId: 'l',
  slotIds: [],
  start,
  end,
  appointmentType: 'consultation',
  status: 'booked',
  overbooked: false,
  holdExpiresAt: null,
  seriesId: null,
  version: 1,
})
const NOW = '2026-01-01T00:00:00Z'
const entries = (zone: string, ...times: [string, string][]) =>
  entriesOf([{ date: '', appointments: times.map(([start, end]) => booked(start, end)), slots: [] }], zone, NOW)

describe('an entry', () => {
  it('stands where the wall of the clinic says, before and after the clocks change', () => {
    const found = entries(
      'Europe/Berlin',
      ['2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z'],
      ['2026-03-29T01:00:00Z', '2026-03-29T01:30:00Z'],
    )
    expect(found.map((one) => one.start)).toEqual(['2026-03-29T01:30:00', '2026-03-29T03:00:00'])
  })
  it('is as long as it takes where the hour is there twice', () => {
    const [found] = entries('Europe/Berlin', ['2026-10-25T00:45:00Z', '2026-10-25T01:15:00Z'])
    expect([found!.start, found!.end]).toEqual(['2026-10-25T02:45:00', '2026-10-25T03:15:00'])
    expect(lengthOf(found!)).toBe(30)
  })
})

describe('the hours of a grid', () => {
  const night = entries('UTC', ['2026-11-20T22:00:00Z', '2026-11-21T06:00:00Z'])
  it('are a working day at least', () => {
    expect(hoursOf([], '2026-11-20', 1)).toEqual({ from: 8, to: 18 })
  })
  it('reach to midnight where something goes on over it', () => {
    expect(hoursOf(night, '2026-11-20', 1)).toEqual({ from: 8, to: 24 })
  })
  it('begin at midnight where something has begun the day before', () => {
    expect(hoursOf(night, '2026-11-21', 1)).toEqual({ from: 0, to: 18 })
  })
  it('are the whole day where both are seen', () => {
    expect(hoursOf(night, '2026-11-16', 7)).toEqual({ from: 0, to: 24 })
  })
  it('do not begin at midnight for what ends there', () => {
    const late = entries('UTC', ['2026-11-20T23:30:00Z', '2026-11-21T00:00:00Z'])
    expect(hoursOf(late, '2026-11-16', 7)).toEqual({ from: 8, to: 24 })
  })
})

describe('the height of half an hour', () => {
  it('leaves a line to the shortest entry', () => {
    const half = entries('UTC', ['2026-11-20T09:00:00Z', '2026-11-20T09:30:00Z'])
    const five = entries('UTC', ['2026-11-20T09:00:00Z', '2026-11-20T09:05:00Z'])
    expect(heightFor(half)).toBe(56)
    expect(heightFor(five)).toBe(120)
    expect(isShort(five[0]!, 120)).toBe(true)
    expect(isShort(half[0]!, 56)).toBe(false)
  })
})
