// Package access says who is calling, and what they may do. It knows two kinds of callers: producers, which are systems
// that use the API with a token, and operators, who are people that use the console in a session.
//
// The job of a producer's request, in the order it happens:
//
//  1. [Producers.Authenticate] takes the Authorization header. A token whose SHA-256 is configured and has not expired names
//     its producer. Such tokens are random, not chosen: nobody can guess one from its hash, so the hash needs no salt and
//     no stretching, and costs no time at thousands of requests a second.
//  2. A token that is a JWT is handed to the [Issuer] that it names. Its signature must be of an algorithm on a list
//     without "none" and without shared secrets, by a key that the issuer publishes now; issuer, audience and times must be
//     right. The client or subject in it names the producer.
//  3. [Producer.May] says whether the producer has the [Scope] that the route needs.
//
// The job of an operator's request:
//
//  1. A person logs in: with OpenID Connect ([Login]: authorization code, PKCE, state and nonce), or, in small installations,
//     with a password ([Passwords]). Either way the result is an [Operator] with [Role]s.
//  2. [Sessions.Begin] gives the browser a new session: an encrypted cookie that no script can read. Any process that has the
//     same key can open it, so none has to remember it. What must be remembered is what was ended: [Sessions.End] marks the
//     session's id in a [Once], which the processes share.
//  3. [Sessions.Of] finds the session of a request: not too old, not idle for too long, not ended.
//  4. [Operator.May] says whether its roles allow what the page does ([Permission]).
//  5. A form carries a token that is good for one session, one action and one time ([Sessions.FormToken], [Sessions.Spend]).
//
// Whoever reads a letter, or changes something, is written down: an [Entry] goes to the [Audit] first, and where it cannot be
// written down, it does not happen.
//
// Why a caller was refused is a [Refusal]: a fixed word for the log. The caller is not told it, and no token, password or
// cookie is in it.
package access
