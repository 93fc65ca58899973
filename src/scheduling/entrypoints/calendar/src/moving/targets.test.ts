import { describe, expect, it } from 'vitest'
import type { BookedTime, CalendarDay, SlotTime } from '~/api/client'
import { above, beside, onDay, snapped, targetsOf } from '~/moving/targets'

const ZONE = 'Europe/Berlin'
const NOW = '2026-11-20T06:00:00Z'

const slot = (practitionerId: string, from: string, to: string, more: Partial<SlotTime> = {}): SlotTime => ({
  id: `${practitionerId} ${from}`,
  scheduleId: `schedule of ${practitionerId}`,
  practitionerId,
  locationId: 'here',
  start: `2026-11-20T${from}:00Z`,
  end: `2026-11-20T${to}:00Z`,
  status: 'free',
  capacity: 1,
  booked: 0,
  remaining: 1,
  serviceTypes: [],
  version: 1,
  ...more,
})
const taken = { status: 'busy' as const, booked: 1, remaining: 0 }
const visit = (from: string, to: string, ...slotIds: string[]): BookedTime => ({
  id: 'visit',
  patientId: 'maria',
  patientName: 'Maria',
  practitionerId: 'ana',
  practitionerName: 'Ana',
  locationId: 'here',
  slotIds,
  start: `2026-11-20T${from}:00Z`,
  end: `2026-11-20T${to}:00Z`,
  appointmentType: 'consultation',
  status: 'booked',
  overbooked: false,
  holdExpiresAt: null,
  seriesId: null,
  version: 1,
})
const day = (...slots: SlotTime[]): CalendarDay[] => [{ date: '2026-11-20', appointments: [], slots }]

const moved = visit('08:00', '08:30', 'ana 08:00')
const SLOTS = day(
  slot('ana', '08:00', '08:30', taken),
  slot('ana', '08:30', '09:00'),
  slot('ana', '09:00', '09:30', taken),
  slot('ana', '09:30', '10:00'),
  slot('jo', '08:20', '08:40'),
  slot('jo', '08:40', '09:00'),
  slot('jo', '09:00', '09:20', taken),
)
const targets = targetsOf(SLOTS, moved, ZONE, NOW)
const at = (practitionerId: string, time: string) => ({ practitionerId, wall: `2026-11-20T${time}:00`, day: '2026-11-20' })
const told = (one: { practitionerId: string; wall: string } | null | undefined) =>
  one && `${one.practitionerId} ${one.wall.slice(11, 16)}`

describe('where an appointment may go', () => {
  it('is free where it lies itself, or where slots last as long as it does', () => {
    expect(targets.filter((one) => one.free).map(told)).toEqual(['ana 09:00', 'jo 09:20', 'ana 09:30', 'ana 10:30'])
  })
  it('is not what is past', () => {
    const later = targetsOf(SLOTS, moved, ZONE, '2026-11-20T08:45:00Z')
    expect(later.map(told)).toEqual(['ana 10:00', 'jo 10:00', 'ana 10:30'])
  })
  it('is its own time in part, for a long one', () => {
    const long = visit('08:00', '09:00', 'ana 08:00', 'ana 08:30')
    const own = day(
      slot('ana', '08:00', '08:30', taken),
      slot('ana', '08:30', '09:00', taken),
      slot('ana', '09:00', '09:30'),
    )
    expect(targetsOf(own, long, ZONE, NOW).filter((one) => one.free).map(told)).toEqual(['ana 09:00', 'ana 09:30'])
  })
})

describe('what is dropped', () => {
  const drop = (who: string, time: string) => told(snapped(targets, who, `2026-11-20T${time}:00`))
  it('goes to the nearest free start', () => {
    expect(drop('ana', '09:35')).toBe('ana 09:30')
    expect(drop('ana', '10:25')).toBe('ana 10:30')
    expect(drop('jo', '09:25')).toBe('jo 09:20')
  })
  it('stays as it was dropped where nothing is near', () => {
    expect(drop('ana', '10:10')).toBeNull()
    expect(drop('jo', '10:00')).toBeNull()
    expect(drop('who', '09:30')).toBeNull()
  })
  it('may be off by half of a long slot', () => {
    const group = targetsOf(day(slot('mi', '10:00', '11:00')), moved, ZONE, NOW)
    expect(told(snapped(group, 'mi', '2026-11-20T11:25:00'))).toBe('mi 11:00')
    expect(snapped(group, 'mi', '2026-11-20T11:35:00')).toBeNull()
  })
})

describe('what keys choose', () => {
  const columns = ['ana', 'nobody', 'jo'].map((practitionerId) => ({ practitionerId, day: '2026-11-20' }))
  it('goes up and down from start to start, and stops at the ends', () => {
    expect(told(above(targets, at('ana', '09:00'), 1, false))).toBe('ana 09:30')
    expect(told(above(targets, at('ana', '09:30'), 1, false))).toBe('ana 10:00')
    expect(told(above(targets, at('ana', '09:30'), -1, false))).toBe('ana 09:00')
    expect(above(targets, at('ana', '10:30'), 1, false)).toBeUndefined()
  })
  it('goes to free ones only, if asked to', () => {
    expect(told(above(targets, at('ana', '09:30'), 1, true))).toBe('ana 10:30')
  })
  it('goes to the next column that has any, near in time', () => {
    expect(told(beside(targets, columns, at('ana', '09:30'), 1))).toBe('jo 09:20')
    expect(told(beside(targets, columns, at('jo', '10:00'), -1))).toBe('ana 10:00')
    expect(beside(targets, columns, at('jo', '09:20'), 1)).toBeUndefined()
  })
  it('stays with the practitioner on another day', () => {
    const before = { practitionerId: 'jo', day: '2026-11-19', wall: '2026-11-19T09:35:00' }
    expect(told(onDay(targets, columns, before))).toBe('jo 09:40')
    expect(told(onDay(targets, columns, { ...before, practitionerId: 'gone' }))).toBe('ana 09:30')
  })
})
