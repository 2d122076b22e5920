// Package cluster runs what an installation of rollcall over several machines is made of, as real processes on this one:
// three PostgreSQL servers under Patroni, etcd, a balancer that leads to whichever of them is primary, replicas of
// rollcall, and a balancer in front of those. Between any two of them a wire can be slowed, cut or made to swallow everything.
//
// It owns the processes, their ports and their folder, and the ways to harm them: kill -9, stop without a word and go
// on, cut off. What is asked of the installation, and whether the answers are right, is left to whoever holds it.
//
// What must always hold: everything listens on 127.0.0.1, on ports that were free; nothing outlives the process that
// started it, however that ends; each wait is for a condition and has an end; and logs are in the folder until it is closed.
package cluster
