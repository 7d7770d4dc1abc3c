// Package target brings inbound post to the places that the rules file names: folders, HTTP endpoints, mailboxes and queues
// of a message broker. Each is an inbound.Target.
//
// The job, in the order it happens:
//
//  1. [New] makes a target of what the rules file says of it, and refuses settings that cannot work: a file that is not
//     there, a mailbox without a mail server. It connects to nothing, so that one system that is down does not keep the
//     gateway from starting.
//  2. Deliver hands one post over: a folder is written beside its place and renamed, a request or a mail streams from the
//     document store, a message waits for the broker's confirmation.
//  3. What came of it becomes one of the words of [Codes]. A target is refused only where the far end speaks of this one
//     post; whatever may be a fault of the setup is tried again, because a person can mend it and nothing is lost meanwhile.
//  4. Close ends the connections of the targets that have some.
//
// Nothing that a far end says, and nothing of what a post holds, gets into an outcome, an error or a log line: they have the
// word, a status code, and the name of a system call that failed.
package target
