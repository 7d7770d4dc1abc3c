// Package e2e holds the end-to-end tests of brevdue: the real binary, a real Redis and the simulated far end, as
// separate processes. See package harness for how they run, and its sibling bench for the table of speed and memory.
package e2e
