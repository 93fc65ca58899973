import { expect, it } from 'vitest'
import { toldOf } from '~/booking/countdown'

it('says that a minute, half a minute and nothing is left, and nothing between', () => {
  expect(toldOf(61, 60)).toBe(60)
  expect(toldOf(60, 59)).toBe(null)
  expect(toldOf(31, 30)).toBe(30)
  expect(toldOf(1, 0)).toBe(0)
  expect(toldOf(600, 599)).toBe(null)
})

it('says the latest where several were slept through', () => {
  expect(toldOf(90, 25)).toBe(30)
  expect(toldOf(90, 0)).toBe(0)
})
