/**
 * A command of a dialog: one at a time, so that a second click does nothing; and why it
 * was refused, for the dialog to say, which stays open with what was typed. Where it was
 * closed before the answer, the page says it.
 */
import { onDestroy, untrack } from 'svelte'
import { Refusal } from '~/api/refusal'
import { announcer } from '~/app/announcer.svelte'
import { keepingFocus } from '~/app/focus'
import { words } from '~/words/words.svelte'

export class Attempt {
  busy = $state(false)
  refused = $state.raw<Refusal | null>(null)
  /** In the words of the desk; null where nothing was refused */
  readonly failed = $derived(this.refused && words.refusal(this.refused))
  private gone = false

  /** To be made where a component is: it ends with it. */
  constructor() {
    onDestroy(() => (this.gone = true))
  }

  /** Do it; return whether it was done. An effect that begins it does not depend on it. */
  run(work: () => Promise<unknown>): Promise<boolean> {
    return untrack(() => keepingFocus(() => this.begin(work)))
  }

  private async begin(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    this.refused = null
    try {
      await work()
      return true
    } catch (error) {
      this.refused = Refusal.of(error)
      if (this.gone) announcer.refused(this.refused)
      return false
    } finally {
      this.busy = false
    }
  }
}
