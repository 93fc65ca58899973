/** What is said to everybody: shown for a while, and read out by screen readers. */
import { Refusal } from '~/api/refusal'
import { say, words } from '~/words/words.svelte'

export interface Message {
  id: number
  kind: 'done' | 'refused' | 'news'
  text: string
  action: Action | null
}

/** What one may do about a message, by a button in it */
export interface Action {
  label: string
  run: () => void
  /** Until it is dismissed; without it the message goes as others do. */
  stays?: boolean
}

const SHOWN = 8000
/** Milliseconds; a refusal stays until it is dismissed. */

class Announcer {
  messages = $state<Message[]>([])
  /** For the polite live region: said without being shown, as a move under way. */
  whisper = $state('')
  private last = 0

  done(text: string, action: Action | null = null): void {
    this.add('done', text, action)
  }

  news(text: string, action: Action | null = null): void {
    this.add('news', text, action)
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

  private add(kind: Message['kind'], text: string, action: Action | null = null): void {
    const id = (this.last += 1)
    this.messages = [...this.messages.slice(-3), { id, kind, text, action }]
    if (kind !== 'refused' && !action?.stays) setTimeout(() => this.dismiss(id), SHOWN)
  }
}

export const announcer = new Announcer()
