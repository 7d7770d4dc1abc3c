// Package s3 keeps documents in a bucket of S3-compatible storage under the SHA-256 of their content. It does for several
// processes on several machines what [github.com/brevdue/brevdue/gateway/documents.Folder] does for those of one.
//
// The job, in the order it happens:
//
//  1. [Open] reads the address, takes the credentials from the environment or the files it names, asks whether the bucket
//     is there, and removes what a crash left half written.
//  2. [Store.Put] hashes a document while it streams it. One of at most [PartSize] bytes is written under its name in one
//     request. A larger one goes in parts to a temporary name, is put together there, copied to its name by the service
//     itself, and removed from the temporary one. The service answers when it has stored an object durably, and an object is
//     there whole or not at all; so is a document. The same content again is the same object.
//  3. [Store.Stage] ends at the temporary name; Keep does the rest.
//  4. [Store.Open] streams a document, goes on where a connection broke off, and holds what it read to its name.
//  5. [Store.Remove] lets go of a document that nobody has put again since.
//
// Names in the bucket, after the prefix, are those of the folder, so that a folder can be copied into a bucket as it is:
//
//	ab/cd/abcd...          not sealed; the name is the SHA-256
//	sealed/12/34/1234...   sealed; the name is a keyed hash of the SHA-256
//	tmp/...                not finished
//	removing/...           what is being removed; see remove.go
//
// What a crash leaves under tmp/ is removed by the next [Open] that is an hour later. A rule of the bucket that expires tmp/
// and unfinished multipart uploads after a day does the same without us.
//
// The requests are plain ones that every such service has: no conditions on writes, no trailing checksums. Each carries the
// SHA-256 of its body in its signature, which the service checks.
package s3
