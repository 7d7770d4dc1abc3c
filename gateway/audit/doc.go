// Package audit writes down who did or read what, when, from where and why, so that nobody can change it unseen.
//
// The job, in the order it happens:
//
//  1. [Trail.Write] completes an entry (time, process, salt) and appends it in a transaction of its own, before what it tells of
//     happens: where it cannot be written, the deed must not be done. [Trail.In] appends it in the transaction of the deed,
//     where that is one of the journal.
//  2. The journal numbers the entries without a gap and puts the hash of the one before into each.
//  3. [Verify] walks the chain, from the journal or from an export, and names the first entry that does not fit. That the end
//     was cut off is only seen by who kept a head: a shorter chain is a whole chain.
//  4. [Export] writes the chain as NDJSON, which [ReadExport] reads again.
//
// Entries hold ids. The reason that a person gave is beside the chain, sealed, and can be erased; its digest stays.
package audit
