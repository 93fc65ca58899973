import { describe, expect, it } from 'vitest'
import { daysOf, hoursOf, isByWeek, lengthOf, ratesOf } from '~/statistics/period'

describe('a period', () => {
  it('of a week is from Monday to Sunday', () => {
    expect(daysOf('week', '2026-11-20')).toEqual({ from: '2026-11-16', to: '2026-11-23' })
  })
  it('of four weeks ends with today', () => {
    const days = daysOf('four-weeks', '2026-11-20')
    expect(days.to).toBe('2026-11-21')
    expect(lengthOf(days)).toBe(28)
  })
  it('of a month is the whole month, also February and December', () => {
    expect(daysOf('month', '2026-02-14')).toEqual({ from: '2026-02-01', to: '2026-03-01' })
    expect(daysOf('month', '2026-12-31')).toEqual({ from: '2026-12-01', to: '2027-01-01' })
  })
  it('is drawn by weeks when it is longer than a month', () => {
    expect(isByWeek({ from: '2026-10-01', to: '2026-11-01' })).toBe(false)
    expect(isByWeek({ from: '2026-10-01', to: '2026-11-02' })).toBe(true)
  })
})

describe('the no-show rate', () => {
  const byDay = [
    { date: '2026-11-20', byStatus: { 'no-show': 1, completed: 3, booked: 7 } },
    { date: '2026-11-21', byStatus: { booked: 2 } },
    { date: '2026-11-23', byStatus: { 'no-show': 2 } },
  ]
  it('is of those who were expected, and none where nobody was', () => {
    expect(ratesOf(byDay, false).map((one) => one.rate)).toEqual([0.25, null, 1])
  })
  it('of a week is counted from its days, not averaged', () => {
    expect(ratesOf(byDay, true)).toEqual([
      { day: '2026-11-16', missed: 1, kept: 3, rate: 0.25 },
      { day: '2026-11-23', missed: 2, kept: 0, rate: 1 },
    ])
  })
})

describe('the hours', () => {
  it('are all there, in their order', () => {
    const hours = hoursOf([{ hour: 14, count: 9 }, { hour: 8, count: 2 }])
    expect(hours).toHaveLength(24)
    expect([hours[8], hours[14], hours[15]]).toEqual([2, 9, 0])
  })
})
