// Package targettest is what every target of inbound post must pass, whatever it is: a folder, an endpoint, a mailbox or a
// broker.
//
// A test makes a [World] around a real far end and calls [Run]: a post arrives whole and once; the same post again is no
// second copy where the target can tell; a far end that refuses, that is busy, or that is gone gets its word; an attempt that
// is ended, and a store that fails half way, leave nothing behind; no outcome shows anything of the post. [RunLarge] brings
// the largest message there is, and looks at the memory that it takes.
package targettest
