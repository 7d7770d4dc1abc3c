// Package keys seals what a gateway stores about people, so that whoever gets hold of a disk or a backup reads nothing.
//
// The job, in the order it happens:
//
//  1. [Create] makes a keyset file (mode 0600) with one key; nothing else ever makes one. Losing the file is losing the data:
//     there is no second way in. A copy belongs where no backup of the data lies.
//  2. [Open] reads it. With a master key ([Config.MasterFile]) the file's own secrets are sealed, and the file alone opens
//     nothing.
//  3. [Keys] is the gateway.StreamSealer of the journal and of the document store. Each [Key] is three tink keysets: AES-256-GCM
//     for fields, AES-256-GCM-HKDF in segments of 64 KiB for documents, and HMAC-SHA-256 for keyed hashes, by which what is
//     sealed can be found without being opened.
//  4. [Keys.Rotate] adds a key that seals from then on; the others go on opening. Running processes see the changed file within
//     a second: there is nothing to restart. What lies sealed under an old key is sealed anew by the stores, which is no
//     business of this package.
//  5. [Keys.Destroy] takes an old key out of the file, once its owner has made certain that nothing needs it any more.
//
// Why a key can be destroyed safely: a process looks at the file every second as long as it seals anything, and seals nothing
// when it could not look for [lease]. Destroy refuses a key that sealed less than [Grace] ago, which is longer than the lease
// and the longest transaction together. So nobody seals under a key that is about to go.
//
// An error names the id of a key, never a secret and nothing of what was sealed.
package keys
