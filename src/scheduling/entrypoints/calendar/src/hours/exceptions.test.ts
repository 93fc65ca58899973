import { describe, expect, it } from 'vitest'
import { bodyOf, type Calendar, type Draft, joined, losing, usualOn, wrongOf } from '~/hours/exceptions'

const ZONE = 'Europe/Berlin'

const draft = (told: Partial<Draft> = {}): Draft => ({
  kind: 'closed',
  day: '2026-11-23',
  until: '2026-11-23',
  whole: true,
  from: '12:00',
  to: '14:00',
  services: [],
  windows: [{ start: '09:00', end: '12:00', minutes: 30, capacity: 1, services: '' }],
  reason: ' ',
  ...told,
})

describe('what is asked of the API', () => {
  it('is a date for one whole day, and no windows though some were typed', () => {
    expect(bodyOf(draft(), ZONE)).toEqual({
      kind: 'closed', date: '2026-11-23', windows: [], serviceTypes: [], reason: null,
    })
  })

  it('is two instants for part of a day, on the wall of the schedule', () => {
    const body = bodyOf(draft({ whole: false }), ZONE)
    expect([body.start, body.end]).toEqual(['2026-11-23T11:00:00Z', '2026-11-23T13:00:00Z'])
    expect(body.date).toBeUndefined()
  })

  it('holds the whole of the last day, also where the clocks change between', () => {
    const body = bodyOf(draft({ day: '2026-10-24', until: '2026-10-26' }), ZONE)
    expect([body.start, body.end]).toEqual(['2026-10-23T22:00:00Z', '2026-10-26T23:00:00Z'])
  })

  it('names the services of windows apart, and midnight as the end of the day', () => {
    const windows = [{ start: '20:00', end: '00:00', minutes: 20, capacity: 2, services: 'a, b ,' }]
    expect(bodyOf(draft({ kind: 'extra', windows }), ZONE).windows).toEqual([
      { startTime: '20:00', endTime: '24:00', slotMinutes: 20, capacity: 2, serviceTypes: ['a', 'b'] },
    ])
  })
})

describe('what is not right yet', () => {
  const none = { start: '09:00', end: '09:20', minutes: 30, capacity: 1, services: '' }
  it.each([
    [draft(), null],
    [draft({ day: '' }), 'hours.wrong-day'],
    [draft({ until: '2026-11-22' }), 'hours.wrong-until'],
    [draft({ whole: false, to: '12:00' }), 'hours.wrong-times'],
    [draft({ kind: 'extra', windows: [] }), 'hours.wrong-none'],
    [draft({ kind: 'replace', windows: [] }), null],
    [draft({ kind: 'replace', windows: [none] }), 'hours.wrong-window'],
    [draft({ kind: 'extra', windows: [{ ...none, start: '22:00', end: '06:00' }] }), null],
  ])('%#', (typed, wrong) => expect(wrongOf(typed)).toBe(wrong))
})

describe('hours before and after', () => {
  const at = (start: string, end: string) => ({
    start: `2026-11-23T${start}:00Z`,
    end: `2026-11-23T${end}:00Z`,
  })
  const before = [at('09:00', '09:30'), at('09:30', '10:00'), at('11:00', '11:30')]

  it('are joined where nothing lies between', () => {
    expect(joined(before)).toEqual([at('09:00', '10:00'), at('11:00', '11:30')])
  })

  it('tell which visits lose theirs, and not those outside before', () => {
    const visits = [at('09:00', '10:00'), at('11:00', '11:30'), at('13:00', '13:30')]
    expect(losing(visits, before, before.slice(0, 1))).toEqual([visits[0], visits[1]])
    expect(losing(visits, before, before)).toEqual([])
  })
})

it('begins with the hours of that weekday', () => {
  const rule = {
    daysOfWeek: ['mon'], startTime: '08:00', endTime: '16:00', slotMinutes: 20, capacity: 1,
    serviceTypes: ['consultation'], validFrom: null, validTo: null,
  }
  const calendar = { availability: [rule] } as unknown as Calendar
  expect(usualOn('2026-11-23', calendar)).toEqual([
    { start: '08:00', end: '16:00', minutes: 20, capacity: 1, services: 'consultation' },
  ])
  expect(usualOn('2026-11-24', calendar)[0]?.start).toBe('09:00')
})
