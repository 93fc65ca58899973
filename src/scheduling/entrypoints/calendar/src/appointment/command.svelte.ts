/** A command to an appointment: under way, refused, or too late. */
import { Refusal } from '~/api/refusal'
import { isStale } from '~/appointment/visit.svelte'
import { say, words } from '~/words/words.svelte'

export class Command {
  underway = $state(false)
  refused = $state.raw<unknown>(null)
  /** Somebody else was faster: that is explained, not only said. */
  readonly tooLate = $derived(isStale(this.refused))
  readonly why = $derived.by(() => {
    if (this.refused === null || this.tooLate) return null
    if (this.refused instanceof Refusal) return words.refusal(this.refused)
    return say('refusal.other', { code: 'UNEXPECTED' })
  })

  /** Send it; return whether it was done. A second click meanwhile is none. */
  async run(send: () => Promise<unknown>): Promise<boolean> {
    if (this.underway) return false
    this.underway = true
    this.refused = null
    try {
      await send()
      return true
    } catch (error) {
      this.refused = error
      if (!(error instanceof Refusal)) console.error(error)
      return false
    } finally {
      this.underway = false
    }
  }

  forget(): void {
    this.refused = null
  }
}
