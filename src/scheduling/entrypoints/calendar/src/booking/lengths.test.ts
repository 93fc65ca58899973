import { describe, expect, it } from 'vitest'
import type { FreeTime, SlotTime } from '~/api/client'
import { lengthsFrom } from '~/booking/lengths'

const at = (time: string) => `2026-11-20T${time}:00Z`

const slot = (start: string, end: string, more: Partial<SlotTime> = {}): SlotTime => ({
  id: `slot ${start}`,
  scheduleId: 'schedule',
  practitionerId: 'practitioner',
  locationId: 'location',
  start: at(start),
  end: at(end),
  status: 'free',
  capacity: 1,
  booked: 0,
  remaining: 1,
  serviceTypes: [],
  version: 1,
  ...more,
})

const free = (start: string, end: string, scheduleId = 'schedule'): FreeTime => ({
  slotId: `slot ${start}`,
  scheduleId,
  practitionerId: 'practitioner',
  locationId: 'location',
  // As another zone writes it: the same instant
  start: at(start).replace('Z', '+00:00'),
  end: at(end),
  timezone: 'UTC',
  date: '2026-11-20',
  remaining: 1,
  serviceTypes: [],
})

describe('the lengths that can be had', () => {
  it('are those of the slot and of each that follows without a gap', () => {
    const after = [free('09:00', '09:30'), free('09:30', '10:00'), free('10:00', '10:30'), free('11:00', '11:30')]
    expect(lengthsFrom(slot('09:00', '09:30'), after)).toEqual([30, 60, 90])
  })

  it('end where the next is of another schedule, or taken', () => {
    expect(lengthsFrom(slot('09:00', '09:30'), [free('09:30', '10:00', 'another')])).toEqual([30])
    expect(lengthsFrom(slot('09:00', '09:30'), [free('10:00', '10:30')])).toEqual([30])
  })

  it('end after four hours', () => {
    const hours = ['09', '10', '11', '12', '13', '14', '15']
    const after = hours.map((hour) => free(`${hour}:00`, `${Number(hour) + 1}:00`))
    expect(lengthsFrom(slot('09:00', '10:00'), after)).toEqual([60, 120, 180, 240])
  })

  it('are one in a group', () => {
    expect(lengthsFrom(slot('09:00', '09:30', { capacity: 8 }), [free('09:30', '10:00')])).toEqual([30])
  })
})
