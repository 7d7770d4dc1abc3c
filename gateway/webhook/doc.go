// Package webhook is what callers of webhooks have in common: the secrets of a receiver and the signature of Standard
// Webhooks, of a body in memory or of one that streams; what a call that got no answer failed of; and how long a receiver
// asks to be left alone. [src: STANDARD-WEBHOOKS Signature scheme]
package webhook
