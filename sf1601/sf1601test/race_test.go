//go:build race

package sf1601test_test

const raceDetector = true
