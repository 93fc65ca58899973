/** Who is signed in, and the token that says so. It is kept in memory only. */
import { type Claims, claimsOf, type Scope } from '~/signin/claims'
import { type Persona, readConfig, type SignIn } from '~/signin/config'
import { OpenIdSession } from '~/signin/openid'
import { personaToken, rememberedPersona, rememberPersona } from '~/signin/personas'

const RENEW_BEFORE = 60
/** Seconds before a token's end at which it is renewed. */

class Session {
  signIn = $state<SignIn | null>(null)
  claims = $state<Claims | null>(null)
  persona = $state<Persona | null>(null)
  /** A word of the catalogue, where signing in failed. */
  failed = $state<'signin.failed' | 'signin.unreachable' | null>(null)
  private wanted: Persona | null = null
  private bearer: string | null = null
  private openid: OpenIdSession | null = null
  private renewing: Promise<string | null> | null = null

  may(scope: Scope): boolean {
    return this.claims?.scopes.has(scope) ?? false
  }

  async open(): Promise<void> {
    try {
      this.signIn = (await readConfig()).signIn
    } catch {
      this.failed = 'signin.unreachable'
      return
    }
    try {
      if (this.signIn.kind === 'personas') {
        const persona = rememberedPersona()
        if (persona && this.signIn.personas.includes(persona)) await this.be(persona)
      } else if (this.signIn.kind === 'openid') {
        this.openid = new OpenIdSession(this.signIn)
        const token = await this.openid.comeBack()
        if (token) this.take(token)
        else await this.openid.leave()
      }
    } catch {
      this.failed = 'signin.failed'
    }
  }

  /** Become that persona; who is chosen last counts, whoever's token comes last. */
  async be(persona: Persona): Promise<void> {
    this.wanted = persona
    const token = await personaToken(persona)
    if (this.wanted !== persona) return
    this.take(token)
    this.persona = persona
    rememberPersona(persona)
  }

  async leave(): Promise<void> {
    await this.openid?.leave()
  }

  /** A token that is good for at least a little while. */
  async token(): Promise<string> {
    const left = (this.claims?.expires ?? 0) - Date.now() / 1000
    if (this.bearer && left > RENEW_BEFORE) return this.bearer
    this.renewing ??= this.renew().finally(() => (this.renewing = null))
    // Nobody is signed in: who asks belongs to a view that is gone, and is told nothing.
    return (await this.renewing) ?? new Promise<never>(() => undefined)
  }

  /** The server took this token no more: the next call fetches another. */
  expired(token: string): void {
    if (this.bearer === token) this.bearer = null
  }

  async signOut(): Promise<void> {
    rememberPersona(null)
    this.wanted = null
    this.bearer = null
    this.claims = null
    this.persona = null
    await this.openid?.signOut()
  }

  private async renew(): Promise<string | null> {
    const before = this.claims
    if (before) {
      const token = this.persona ? await personaToken(this.persona) : await this.openid?.renewed()
      // Whoever has signed out meanwhile, or is somebody else, stays so.
      if (this.claims === before) {
        if (token) this.take(token)
        else await this.openid?.leave()
      }
    }
    return this.bearer
  }

  private take(token: string): void {
    this.claims = claimsOf(token)
    this.bearer = token
    this.failed = null
  }
}

export const session = new Session()
