/**
 * A command of a dialog: one at a time, so that a second click does nothing; and why it
 * was refused, for the dialog to say, which stays open with what was typed.
 */
import { Refusal } from '~/api/refusal'
import { say, words } from '~/words/words.svelte'

export class Attempt {
  busy = $state(false)
  refused = $state.raw<Refusal | null>(null)
  /** In the words of the desk; null where nothing was refused */
  readonly failed = $derived.by(() => (this.refused ? words.refusal(this.refused) : this.fault))
  private fault = $state<string | null>(null)

  /** Do it; return whether it was done. */
  async run(work: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    this.refused = null
    this.fault = null
    try {
      await work()
      return true
    } catch (error) {
      if (error instanceof Refusal) this.refused = error
      else {
        console.error(error)
        this.fault = say('refusal.other', { code: 'UNEXPECTED' })
      }
      return false
    } finally {
      this.busy = false
    }
  }
}
