//go:build !race

package sf1606_test

const raceEnabled = false
