// Package sf1601test is the far end of SF1601: token service,
// KombiPostAfsend, PostForespoerg and the push of delivery statuses.
package sf1601test
