package nemsms

// HoldsCPR is holdsCPR for tests.
func HoldsCPR(text string) bool { return holdsCPR(text) }
