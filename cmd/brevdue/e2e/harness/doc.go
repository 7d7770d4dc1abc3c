// Package harness runs brevdue as an operator would: the real binary, a real Redis and the simulated far end, each a
// process of its own, for the end-to-end tests and the bench. Nothing else links it.
//
// The job, in the order it happens: [Build] makes the binary; [NewWorld] starts redis-server (append-only file, fsync
// every second), `brevdue sim`, writes a configuration with environment custom, runs `brevdue migrate` and starts
// `brevdue serve`; the caller posts intents through [Gateway.Client], sends inbound post through [World.Sender], asks the far
// end through [Sim], and kills, stops and starts what it likes; [World.Close] ends everything.
//
// Every process leads a process group of its own, which is killed as a whole, and on Linux the kernel kills it when the
// process that started it dies. What processes print goes to files under the world's folder; [World.Logs] is their end.
package harness
