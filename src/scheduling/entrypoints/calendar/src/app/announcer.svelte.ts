/** What is said to everybody: shown for a while, and read out by screen readers. */
import { Refusal } from '~/api/refusal'
import { say, words } from '~/words/words.svelte'

export interface Message {
  id: number
  kind: 'done' | 'refused' | 'news'
  text: string
}

const SHOWN = 8000
/** Milliseconds; a refusal stays until it is dismissed. */

class Announcer {
  messages = $state<Message[]>([])
  /** For the polite live region: said without being shown, as a move under way. */
  whisper = $state('')
  private last = 0

  done(text: string): void {
    this.add('done', text)
  }

  news(text: string): void {
    this.add('news', text)
  }

  /** Say why something was not done, in the words of the desk; anything else is a fault. */
  refused(error: unknown): void {
    if (error instanceof Refusal) this.add('refused', words.refusal(error))
    else {
      console.error(error)
      this.add('refused', say('refusal.other', { code: 'UNEXPECTED' }))
    }
  }

  dismiss(id: number): void {
    this.messages = this.messages.filter((message) => message.id !== id)
  }

  private add(kind: Message['kind'], text: string): void {
    const id = (this.last += 1)
    this.messages = [...this.messages.slice(-3), { id, kind, text }]
    if (kind !== 'refused') setTimeout(() => this.dismiss(id), SHOWN)
  }
}

export const announcer = new Announcer()
