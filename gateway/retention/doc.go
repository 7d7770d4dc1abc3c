// Package retention forgets what is no longer needed, and nothing else.
//
// The job, in the order it happens:
//
//  1. [Policy] says how long documents, content and identifiers are kept, for each sender and for inbound post. The time counts
//     from the final status, never from when a letter was posted: one that waits a year for its day, or for its status, is not
//     touched. Without a policy nothing is.
//  2. [Runner.Plan] counts what is due. [Runner.Run] does it: it takes a lease, so that one process at a time does, and goes
//     stage by stage and sender by sender in small transactions. Each checks the lease, that the intent still is final and old
//     enough, and that no hold keeps it, erases, and writes what it did into the audit trail. A run that was cut off is
//     gone on with by the next.
//  3. A document of the store is removed a while after the last thing that named it was erased ([Config.Grace]), if still
//     nothing names it. Two letters with the same document share one file: it stays until both are erased.
//  4. [Runner.Nightly] does it every night.
//
// Counts, states, channels and times stay for good: statistics are made of them.
package retention
