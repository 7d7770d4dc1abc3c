// Package inbound is the life of a message that a citizen or a company sent: from its arrival until the one municipal system
// that owns it has it, or a person has been told that none would take it.
//
// The job, in the order it happens:
//
//  1. [Service.Begin] opens a delivery for package sf1606, which reads the MeMo. The XML and each document are staged in the
//     document store while they are read, and every document is inspected on the way (package hygiene).
//  2. Commit correlates a reply with the letter of ours that it answers, asks the virus scanner where there is one, lets the
//     distribution rules choose exactly one target (package routing), gives the staged files their names, and writes post,
//     documents, receipt and first event in one transaction. Only then is the sender answered. The same messageUUID again
//     finds the receipt it got before.
//  3. A queue task that carries nothing but the id reaches [Service.Deliver]. It takes a lease, hands the post to its
//     [Target], and records what the target said: taken, refused (the next target of the rule follows; after the last one a
//     person decides) or not now (the same target later, with growing pauses, for ever).
//  4. A reply to one of our letters may go to the producer that sent it: its event is written into that producer's feed in
//     the transaction that marks the post delivered, and callbacks bring it there.
//  5. What nobody can know but a person, a person decides, with a reason that is kept: [Service.Redeliver],
//     [Service.Reroute], [Service.Release], [Service.Close].
//  6. [Service.Sweep] repairs what crashes and lost queues leave behind: posts that are due and that no queue holds.
//
// A target may get a post twice, when it took it and the answer was lost: the messageUUID tells it so.
package inbound
