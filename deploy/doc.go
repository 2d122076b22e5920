// Package deploy holds no code: its tests keep what this folder gives to operators working.
//
// It owns the proof that each way of running rollcall in docs/deploy.md is what it says: the image is built by its own
// Containerfile's commands and run as the image's user with nothing but the image's files; the chart is linted, rendered
// and held against the schemas of Kubernetes; the unit is scored by systemd, the package installed by dpkg, the alerts
// tested by promtool, and every metric that an alert or the dashboard names is scraped from a running server. What the
// server does is left to its own tests: here it is a program that somebody starts.
//
// It is a module of its own, so that the parsers it needs never reach the server's. What must always hold: no test needs a container
// engine, a cluster or a running systemd, and none leaves a process or a file behind.
package deploy
