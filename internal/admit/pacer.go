package admit

import (
	"sync"
	"time"
)

// Pacer spreads refusals over time. Who is refused and asks again at once would otherwise
// keep the server busy with refusing, which costs a fifth of what serving does: ten of
// them cost the work of two. The first ones are answered at once.
type Pacer struct {
	every, longest time.Duration
	burst          int

	mu   sync.Mutex
	next time.Time // when the allowance of a burst is used up
	held int
	most int
}

// PacerOptions say how refusals are spread.
type PacerOptions struct {
	Every   time.Duration // one refusal in such a time, on average
	Burst   int           // so many more at once after a quiet time
	Longest time.Duration // for which one is held back
	Held    int           // how many are held back at once at most; more are answered at once
}

// NewPacer makes a pacer.
func NewPacer(o PacerOptions) *Pacer {
	return &Pacer{every: o.Every, burst: o.Burst, longest: o.Longest, most: o.Held}
}

// Hold returns for how long the answer of a refusal is to be held back. Unless that is 0,
// Release is called afterwards.
func (p *Pacer) Hold(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if quiet := now.Add(-time.Duration(p.burst) * p.every); p.next.Before(quiet) {
		p.next = quiet
	}
	wait := min(p.next.Sub(now), p.longest)
	if wait < p.longest {
		p.next = p.next.Add(p.every)
	}
	if wait <= 0 || p.held >= p.most {
		return 0
	}
	p.held++
	return wait
}

// Release says that a refusal is held back no longer.
func (p *Pacer) Release() {
	p.mu.Lock()
	p.held--
	p.mu.Unlock()
}

// Holding returns how many refusals are held back now.
func (p *Pacer) Holding() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// applicationPacers is how many pacers applications share. Two that meet at one slow each other's refusals, and nothing else.
const applicationPacers = 64

// Pacers spread the refusals of each lane by themselves: who asks on and on makes no other wait.
type Pacers struct {
	strangers    [strangerLanes]*Pacer
	applications [applicationPacers]*Pacer
}

// NewPacers makes pacers that are all alike.
func NewPacers(o PacerOptions) *Pacers {
	p := &Pacers{}
	for i := range p.strangers {
		p.strangers[i] = NewPacer(o)
	}
	for i := range p.applications {
		p.applications[i] = NewPacer(o)
	}
	return p
}

// Of returns the pacer of a lane.
func (p *Pacers) Of(l Lane) *Pacer {
	if l&application == 0 {
		return p.strangers[l%strangerLanes]
	}
	return p.applications[l%applicationPacers]
}

// Holding returns how many refusals all of them hold back now.
func (p *Pacers) Holding() (n int) {
	for _, one := range p.strangers {
		n += one.Holding()
	}
	for _, one := range p.applications {
		n += one.Holding()
	}
	return n
}
