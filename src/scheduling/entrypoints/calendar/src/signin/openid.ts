/**
 * OpenID Connect: authorization code flow with PKCE (RFC 7636). Tokens stay in memory;
 * what is stored in the tab is the flow's own state, for the moment of the redirect.
 */
import { ErrorResponse, InMemoryWebStorage, UserManager, WebStorageStateStore } from 'oidc-client-ts'
import type { SignIn } from '~/signin/config'

type OpenId = Extract<SignIn, { kind: 'openid' }>

export class OpenIdSession {
  private readonly manager: UserManager

  constructor(config: OpenId) {
    const here = `${location.origin}/calendar/`
    this.manager = new UserManager({
      authority: config.authority,
      client_id: config.clientId,
      redirect_uri: here,
      post_logout_redirect_uri: here,
      response_type: 'code',
      scope: config.scope,
      ...(config.resource ? { resource: config.resource } : {}),
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: sessionStorage }),
      automaticSilentRenew: false,
      monitorSession: false,
    })
  }

  /** Return the token where we came back from the issuer, or null where we did not. */
  async comeBack(): Promise<string | null> {
    const asked = new URLSearchParams(location.search)
    if (!asked.has('state') || !(asked.has('code') || asked.has('error'))) return null
    try {
      const user = await this.manager.signinRedirectCallback()
      history.replaceState(null, '', `/calendar/${typeof user.state === 'string' ? user.state : ''}`)
      return user.access_token
    } catch (error) {
      history.replaceState(null, '', '/calendar/')
      throw error
    }
  }

  /** Leave for the issuer's page; who is signed in there is back at once. */
  async leave(): Promise<never> {
    await this.manager.signinRedirect({ state: location.hash })
    return new Promise<never>(() => undefined)
  }

  /** A fresh token by the refresh token; null where the issuer gives none, or no more. */
  async renewed(): Promise<string | null> {
    const user = await this.manager.getUser()
    if (!user?.refresh_token) return null
    try {
      return (await this.manager.signinSilent())?.access_token ?? null
    } catch (error) {
      if (error instanceof ErrorResponse) return null
      throw error
    }
  }

  async signOut(): Promise<void> {
    await this.manager.signoutRedirect().catch(() => this.manager.removeUser())
  }
}
