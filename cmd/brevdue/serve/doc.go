// Package serve puts the gateway together from its configuration and runs it.
//
// The job, in the order it happens: [New] opens the journal, the document store and the queue, loads the certificates,
// makes the SF1601 client with its signer, the channels and the gateway; [App.Run] starts the roles (api: HTTP API and
// console; worker: letters out, repair; status: the endpoint for Beskedfordeler's push), and stops them in the order
// that loses nothing: no new intents, no new statuses, letters in flight finished, then queue and journal closed.
//
// Nothing of the test far ends is linked into this package; the linter holds that.
package serve
