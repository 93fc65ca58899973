import { describe, expect, it } from 'vitest'
import { possible } from '~/appointment/steps'
import type { Status } from '~/api/client'
import type { Scope } from '~/signin/claims'

const START = '2026-11-20T09:00:00Z'
const LATER = '2026-11-20T09:20:00Z'
const EARLIER = '2026-11-20T08:00:00Z'
const DAY_BEFORE = '2026-11-19T09:00:00Z'

const visit = (status: Status, holdExpiresAt: string | null = null) => ({
  status,
  start: START,
  timezone: 'Europe/Berlin',
  holdExpiresAt,
})
const having =
  (...scopes: Scope[]) =>
  (scope: Scope) =>
    scopes.includes(scope)
const desk = having('scheduling:read', 'scheduling:book', 'scheduling:manage')
const books = having('scheduling:read', 'scheduling:book')
const reads = having('scheduling:read')
const steps = (status: Status, may = desk, now = LATER) =>
  possible(visit(status), may, now).steps.map((step) => step.to)

describe('what can be done with a visit', () => {
  it.each<[Status, Status[]]>([
    ['proposed', ['booked']],
    ['pending', ['booked']],
    ['booked', ['arrived', 'confirmed', 'no-show']],
    ['confirmed', ['arrived', 'no-show']],
    ['arrived', ['in-progress', 'completed', 'no-show']],
    ['in-progress', ['completed']],
    ['completed', []],
    ['cancelled', []],
    ['no-show', ['arrived']],
    ['entered-in-error', []],
  ])('follows the status graph: %s', (status, expected) => {
    expect(steps(status)).toEqual(expected)
  })

  it('nobody stays away from what has not begun', () => {
    expect(steps('booked', desk, EARLIER)).toEqual(['arrived', 'confirmed'])
  })

  it('a no-show is taken back on its day only, and only by who manages', () => {
    expect(steps('no-show', books)).toEqual([])
    expect(steps('no-show', desk, '2026-11-21T09:00:00Z')).toEqual([])
  })

  it('checking in is the usual step on the day, not before', () => {
    const usual = (now: string) =>
      possible(visit('booked'), desk, now).steps.filter((step) => step.usual)
    expect(usual(EARLIER).map((step) => step.to)).toEqual(['arrived'])
    expect(usual(DAY_BEFORE)).toEqual([])
  })

  it('who only reads does nothing', () => {
    expect(possible(visit('booked'), reads, EARLIER)).toEqual({
      steps: [],
      move: false,
      edit: false,
      cancel: false,
      mistake: false,
    })
  })

  it('taking it for a mistake is for who manages', () => {
    expect(possible(visit('completed'), desk, LATER).mistake).toBe(true)
    expect(possible(visit('completed'), books, LATER).mistake).toBe(false)
  })

  it('a hold that ran out is neither booked nor moved', () => {
    const held = visit('pending', START)
    expect(possible(held, desk, EARLIER).move).toBe(true)
    expect(possible(held, desk, START)).toMatchObject({ steps: [], move: false, cancel: false })
  })

  it('what has begun is not moved any more', () => {
    expect(possible(visit('arrived'), desk, LATER).move).toBe(false)
    expect(possible(visit('arrived'), desk, LATER).cancel).toBe(true)
    expect(possible(visit('in-progress'), desk, LATER).cancel).toBe(false)
  })
})
